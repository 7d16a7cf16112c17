import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BootState, Cycle } from "../../../src/upgrade/boot-state.ts";
import {
  decide,
  type Decision,
  type Known,
  type Phase,
  phaseOf,
  settle,
  type Situation,
  type Verb,
  type Write,
} from "../../../src/upgrade/decide.ts";
import { refusalProblem } from "../../../src/upgrade/refusals.ts";

/** The tables of docs/upgrade.md, made from the code. Both slots behave alike: A runs, and is "this" one. */
const documented = readFileSync(join(import.meta.dirname, "../../../docs/upgrade.md"), "utf8");

const VERBS: readonly Verb[] = ["install", "commit", "confirm", "rollback"];
const KNOWN: readonly Known[] = ["nothing", "incomplete", "installed", "proven", "failed", "damaged"];

/** With what is known of the running slot, where that matters. */
const PHASES: readonly (readonly [Phase, BootState, Known?])[] = [
  ["stable", { alternative: "A", cycle: "stable", trial: undefined }],
  ["trial", { alternative: "A", cycle: "failsafe_check", trial: "A" }],
  ["committed", { alternative: "B", cycle: "first_boot", trial: "B" }],
  ["rolled-back", { alternative: "B", cycle: "stable", trial: "A" }, "failed"],
  ["not-as-booted", { alternative: "B", cycle: "stable", trial: undefined }],
];

function situation(state: BootState, known: Partial<Situation["known"]> = {}, sound = true): Situation {
  return { running: "A", state, sound, known: { A: "proven", B: "installed", ...known } };
}

function name(slot: string): string {
  return slot === "A" ? "this" : "other";
}

function writeCell(write: Write): string {
  switch (write.kind) {
    case "block": {
      const { alternative, cycle, trial } = write.to;
      return `boot: ${name(alternative)}, ${cycle}${trial === undefined ? "" : `, trial ${name(trial)}`}`;
    }
    case "refuse":
      return `refuse the image of ${name(write.slot)}`;
    case "record":
      return `${name(write.slot)}: ${write.to}`;
  }
}

function cell(decision: Decision): string {
  switch (decision.kind) {
    case "done":
      return "nothing to do";
    case "refused":
      return `*${decision.refusal.kind}*`;
    case "do":
      return [...decision.writes.map(writeCell), ...(decision.reboot ? ["restart"] : [])].join("; ") || "allowed";
  }
}

/** Rows whose cells are the same become one; its first cell then names them all. */
function table(heads: readonly string[], rows: readonly (readonly [string, string, ...string[]])[]): string {
  const grouped = new Map<string, { readonly group: string; readonly keys: string[]; readonly cells: readonly string[] }>();
  for (const [group, key, ...cells] of rows) {
    const id = JSON.stringify([group, cells]);
    const known = grouped.get(id);
    if (known === undefined) grouped.set(id, { group, keys: [key], cells });
    else known.keys.push(key);
  }
  const lines = [...grouped.values()].map(({ group, keys, cells }) => [
    group,
    keys.length === KNOWN.length ? "anything" : keys.join(", "),
    ...cells,
  ]);
  return [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

test("docs/upgrade.md has what each verb does in each state", () => {
  const rows = PHASES.flatMap(([phase, state, A = "proven"]) =>
    KNOWN.map((B) => {
      const of = situation(state, { A, B });
      expect(phaseOf(of)).toBe(phase);
      return [phase, B, ...VERBS.map((verb) => cell(decide(verb, of)))] as const;
    }),
  );
  expect(documented).toContain(table(["phase", "the other slot", ...VERBS], rows));
});

test("docs/upgrade.md has what is put right before anything else", () => {
  const cells = (of: Situation): string => settle(of).map(writeCell).join("; ") || "nothing";
  const rows = (["A", "B"] as const).flatMap((alternative) =>
    (["install", "stable", "first_boot", "failsafe_check"] as const satisfies readonly Cycle[]).flatMap((cycle) =>
      ([undefined, "A", "B"] as const).map(
        (trial) =>
          [
            `${name(alternative)}, ${cycle}`,
            trial === undefined ? "none" : name(trial),
            cells(situation({ alternative, cycle, trial })),
          ] as const,
      ),
    ),
  );
  const broken = situation({ alternative: "A", cycle: "stable", trial: undefined }, {}, false);
  expect(documented).toContain(
    table(
      ["grubenv", "trial", "is written"],
      [
        ...rows,
        ["not sound", "any", cells(broken)],
        ["not sound; this one not proven, the other one is", "any", cells({ ...broken, known: { A: "installed", B: "proven" } })],
      ],
    ),
  );
});

test("docs/upgrade.md has each refusal, with its words", () => {
  const seen = new Map<string, string>();
  for (const [, state] of PHASES) {
    for (const B of KNOWN) {
      for (const verb of VERBS) {
        const decision = decide(verb, situation(state, { B }));
        if (decision.kind === "refused") seen.set(decision.refusal.kind, refusalProblem(verb, decision.refusal).what);
      }
    }
  }
  expect([...seen.keys()].toSorted()).toEqual(["not-as-booted", "not-installed", "not-intact", "not-on-trial", "not-stable"]);
  for (const kind of seen.keys()) expect(documented).toContain(`| *${kind}* |`);
});

test("both slots behave alike", () => {
  const swapped = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value).replaceAll(/"([AB])"/g, (_, slot) => (slot === "A" ? '"B"' : '"A"'))) as T;
  for (const [, state] of PHASES) {
    for (const A of KNOWN) {
      for (const B of KNOWN) {
        const one = situation(state, { A, B });
        const two: Situation = { ...swapped(one), known: { A: B, B: A } };
        expect(swapped(settle(one))).toEqual(settle(two));
        for (const verb of VERBS) expect(swapped(decide(verb, one))).toEqual(decide(verb, two));
      }
    }
  }
});

test("a slot that fell back is marked only where something is known that could be tried again", () => {
  const fellBack = situation({ alternative: "A", cycle: "stable", trial: "B" });
  const kinds = (B: Known): readonly string[] => settle({ ...fellBack, known: { A: "proven", B } }).map(writeCell);
  expect(kinds("installed")).toEqual(["refuse the image of other", "other: failed", "boot: this, stable"]);
  for (const B of ["incomplete", "failed", "damaged"] as const) expect(kinds(B)).toEqual(["boot: this, stable"]);
});
