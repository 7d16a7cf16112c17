import { expect, test } from "vitest";
import type { Slot } from "../../../src/config/layout/layout.ts";
import { blockOf, type BootState, type Booted, grubBoot, otherSlot, readBootState } from "../../../src/upgrade/boot-state.ts";
import { decide, type Known, phaseOf, settle, settleAll, type Situation, type Write, written } from "../../../src/upgrade/decide.ts";

/**
 * A node as far as booting goes: what GRUB reads, what is on record, what the slots really hold, and what runs (nothing: the
 * power is off). Each durable write leads to a state of its own, and in each state the power may be cut.
 */
interface Node {
  readonly block: string | undefined;
  readonly known: Readonly<Record<Slot, Known>>;
  readonly content: Readonly<Record<Slot, Content>>;
  readonly running: Slot | undefined;
}

/** sick: it starts, and no health check passes. dead: empty, half written, or it panics. */
type Content = "good" | "sick" | "dead";

const SLOTS = ["A", "B"] as const;
const KNOWN: readonly Known[] = ["nothing", "incomplete", "installed", "proven", "failed", "damaged"];
const CONTENT: readonly Content[] = ["good", "sick", "dead"];

const sound: readonly BootState[] = SLOTS.flatMap((alternative) =>
  (["install", "stable", "first_boot", "failsafe_check"] as const).flatMap((cycle) =>
    ([undefined, "A", "B"] as const).map((trial) => ({ alternative, cycle, trial })),
  ),
);
const SIGNATURE = "# GRUB Environment Block\n";
const unsound: readonly (string | undefined)[] = [
  undefined,
  "",
  "\0".repeat(1024),
  SIGNATURE.padEnd(1024, "#"),
  ...SLOTS.flatMap((alternative) =>
    ["stable", "first_boot", "failsafe_check", "junk"].flatMap((cycle) => {
      const lines = `${SIGNATURE}boot_alternative=${alternative}\nboot_cycle=${cycle}`;
      // As it should be but for its end (GRUB reads half of it and saves nothing), its length, a second value, no room.
      return [
        lines.padEnd(1024, "#"),
        `${lines}\n`,
        `${lines}\nboot_cycle=${cycle}\n`.padEnd(1024, "#"),
        `${lines}\nx=${"y".repeat(1020 - lines.length)}\n`,
      ];
    }),
  ),
];
const blocks: readonly (string | undefined)[] = [...sound.map((state) => text(blockOf(state, []))), ...unsound];

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

const boots = new Map<string | undefined, { readonly slot: Slot; readonly block: string | undefined }>();

function boot(block: string | undefined): { readonly slot: Slot; readonly block: string | undefined } {
  const known = boots.get(block);
  if (known !== undefined) return known;
  const booted: Booted = grubBoot(block === undefined ? undefined : Buffer.from(block, "latin1"));
  const made = { slot: booted.slot, block: booted.block === undefined ? undefined : text(booted.block) };
  boots.set(block, made);
  return made;
}

const reads = new Map<string | undefined, ReturnType<typeof readBootState>>();

function situationOf({ block, known }: Node, running: Slot): Situation {
  const read = reads.get(block) ?? readBootState(block === undefined ? undefined : Buffer.from(block, "latin1"));
  reads.set(block, read);
  return { running, known, state: read.state, sound: read.faults.length === 0 };
}

/**
 * The slots that are booted in the end if no one ever writes anything but GRUB, and every boot is followed by the next one:
 * one, or both in turn where GRUB reads one of two `boot_cycle` and saves to the other.
 */
function inTheEnd(node: Node): readonly Slot[] {
  let { block, slot } = boot(node.block);
  for (let count = 0; count < 4; count++) ({ block, slot } = boot(block));
  return [slot, boot(block).slot];
}

/** Rule R8. */
function neverABrick(node: Node): boolean {
  return inTheEnd(node).some((slot) => node.content[slot] === "good");
}

/** What a record says is true. And where GRUB's block is not sound and there is no proven system to go back to, the one that runs is taken for a good one. */
function trueRecords(node: Node): boolean {
  const { known, content, running } = node;
  if (SLOTS.some((slot) => known[slot] === "proven" && content[slot] !== "good")) return false;
  if (running === undefined || situationOf(node, running).sound || content[running] === "good") return true;
  return known[otherSlot(running)] === "proven";
}

/** Whatever a sound block says is being tried, is tried from a good system. */
function trialsHaveAWayBack(node: Node): boolean {
  const { state, sound } = situationOf(node, "A");
  return !sound || state.cycle === "stable" || state.cycle === "install" || node.content[otherSlot(state.alternative)] === "good";
}

function after(node: Node, write: Write): Node {
  const { known, state } = written(situationOf(node, "A"), write);
  return { ...node, known, block: write.kind === "block" ? text(blockOf(state, [])) : node.block };
}

/** Each state on the way, the last one too: the power may be cut in any of them. */
function each(node: Node, writes: readonly Write[]): readonly Node[] {
  const states: Node[] = [];
  let state = node;
  for (const write of writes) states.push((state = after(state, write)));
  return states;
}

interface Step {
  readonly by: string;
  readonly to: Node;
}

/** All that can happen next. */
function steps(node: Node): readonly Step[] {
  const { running, content, known } = node;
  if (running === undefined) {
    const { slot, block } = boot(node.block);
    return [{ by: "boot", to: { ...node, block, running: content[slot] === "dead" ? undefined : slot } }];
  }
  const found: Step[] = [{ by: "power cut", to: { ...node, running: undefined } }];
  const add = (by: string, states: readonly Node[]): void => states.forEach((to) => void found.push({ by, to }));
  const situation = situationOf(node, running);
  const toSettle = settle(situation);
  if (toSettle.length > 0) {
    add("settle", each(node, toSettle));
    return found;
  }
  const other = otherSlot(running);
  const with_ = (change: { readonly known?: Known; readonly content?: Content }): Node => ({
    ...node,
    known: { ...known, ...(change.known === undefined ? {} : { [other]: change.known }) },
    content: { ...content, ...(change.content === undefined ? {} : { [other]: change.content }) },
  });
  for (const verb of ["commit", "rollback", "confirm", "install"] as const) {
    // No health check passes on a sick system.
    if (verb === "confirm" && content[running] !== "good") continue;
    const decision = decide(verb, situation);
    if (decision.kind !== "do") continue;
    add(verb, each(node, decision.writes));
    if (verb !== "install") continue;
    add("install: marked incomplete", [with_({ known: "incomplete" })]);
    if (known[other] !== "incomplete") continue;
    add(
      "install: writing",
      CONTENT.map((next) => with_({ content: next })),
    );
    add("install: written", [with_({ known: "installed" }), with_({ known: "failed" })]);
  }
  return found;
}

/** Every state that holds the invariants, reached from somewhere or not. */
function* allNodes(): Generator<Node> {
  for (const block of blocks) {
    for (const A of KNOWN) {
      for (const B of KNOWN) {
        for (const a of CONTENT) {
          for (const b of CONTENT) {
            for (const running of [undefined, ...SLOTS]) {
              const node: Node = { block, known: { A, B }, content: { A: a, B: b }, running };
              if (running !== undefined && node.content[running] === "dead") continue;
              if (trueRecords(node) && neverABrick(node) && trialsHaveAWayBack(node)) yield node;
            }
          }
        }
      }
    }
  }
}

function shown(node: Node): string {
  return JSON.stringify({ ...node, block: node.block?.replace(/#+$/, "") });
}

test("whatever happens in a state from which a good system boots, a good system boots: every state, verb and power cut", () => {
  let nodes = 0;
  let edges = 0;
  const bricks: string[] = [];
  for (const node of allNodes()) {
    nodes += 1;
    for (const { by, to } of steps(node)) {
      edges += 1;
      if (!neverABrick(to) || !trialsHaveAWayBack(to)) bricks.push(`${shown(node)} — ${by} → ${shown(to)}`);
    }
  }
  expect(bricks.slice(0, 5)).toEqual([]);
  expect(nodes).toBeGreaterThan(10_000);
  expect(edges).toBeGreaterThan(20_000);
});

test("what a record says stays true, whatever happens", () => {
  const wrong: string[] = [];
  for (const node of allNodes()) {
    for (const { by, to } of steps(node)) {
      if (SLOTS.some((slot) => to.known[slot] === "proven" && to.content[slot] !== "good"))
        wrong.push(`${shown(node)} — ${by} → ${shown(to)}`);
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});

test("a block that is lost while slot A is half written is repaired by the running system, and then nothing is lost", () => {
  const nodes = blocks
    .map((block): Node => ({ block, known: { A: "incomplete", B: "proven" }, content: { A: "dead", B: "good" }, running: "B" }))
    .filter((node) => {
      const { sound, state } = situationOf(node, "B");
      return !sound || (state.alternative === "B" && state.cycle === "stable");
    });
  const repaired = nodes.map((node) => each(node, settleAll(situationOf(node, "B"))).at(-1) ?? node);
  expect(repaired.filter((node) => !neverABrick(node)).map(shown)).toEqual([]);
});

test("from every state an upgrade can be done again: what boots settles, and is stable or can be confirmed", () => {
  for (const node of allNodes()) {
    const state = upAgain({ ...node, running: undefined });
    if (state === "out of the model") continue;
    const running = state.running ?? "A";
    expect(state.content[running], shown(node)).toBe("good");
    expect(["stable", "trial"], shown(node)).toContain(phaseOf(situationOf(state, running)));
  }
});

/** Boots, and lets what runs settle, until a good system runs. */
function upAgain(off: Node): Node | "out of the model" {
  let state = off;
  for (let boots = 0; boots < 8; boots++) {
    state = steps(state)[0]?.to ?? state;
    const { running } = state;
    if (running === undefined) continue;
    if (!trueRecords(state)) return "out of the model";
    state = each(state, settleAll(situationOf(state, running))).at(-1) ?? state;
    if (state.content[running] === "good") break;
    state = { ...state, running: undefined };
  }
  return state;
}

test("settling comes to an end, and says nothing about what it has left", () => {
  for (const node of allNodes()) {
    if (node.running === undefined) continue;
    const writes = settleAll(situationOf(node, node.running));
    expect(writes.length).toBeLessThan(6);
    const settled = writes.reduce(written, situationOf(node, node.running));
    expect(settle(settled)).toEqual([]);
  }
});

test("a settle that is cut off anywhere is finished by the next one, with the same end", () => {
  for (const node of allNodes()) {
    if (node.running === undefined) continue;
    const { running } = node;
    const whole = settleAll(situationOf(node, running));
    const end = whole.reduce(written, situationOf(node, running));
    for (const cut of each(node, whole)) {
      const again = situationOf(cut, running);
      expect(settleAll(again).reduce(written, again), shown(cut)).toEqual(end);
    }
  }
});

test("installing never begins anywhere but in a stable system that was booted as told", () => {
  for (const node of allNodes()) {
    if (node.running === undefined) continue;
    const before = situationOf(node, node.running);
    const situation = settleAll(before).reduce(written, before);
    const { kind } = decide("install", situation);
    expect(kind).toBe(situation.state.alternative === node.running && situation.state.cycle === "stable" ? "do" : "refused");
  }
});
