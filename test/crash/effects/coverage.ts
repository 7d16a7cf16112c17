import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildFolder } from "../../../image/paths.ts";
import { caseText, momentText, type Result } from "./explorer.ts";
import type { Answer, Orders, Share } from "./worker.ts";

export interface Coverage {
  /** Effects of an undisturbed run, by scenario. */
  readonly effects: ReadonlyMap<string, number>;
  readonly results: readonly Result[];
  /** What could not be explored at all. */
  readonly failures: readonly string[];
}

export type OnAnswer = (answer: Answer) => void;

export interface Exploration {
  readonly scenarios: readonly string[];
  readonly orders: Orders;
  /** Workers, each in namespaces of its own. */
  readonly jobs: number;
  /** Into how many parts a scenario goes: one worker takes each. */
  readonly parts?: (scenario: string) => number;
  /** Results that are there already. */
  readonly known?: readonly Result[];
  /** Hears of each result as it comes. */
  readonly onAnswer?: OnAnswer;
}

/** Explores scenarios with as many workers as told. */
export async function exploreEffects(exploration: Exploration): Promise<Coverage> {
  const { scenarios, orders, jobs, parts = () => 1, known = [], onAnswer } = exploration;
  const effects = new Map<string, number>();
  const results = [...known];
  const failures: string[] = [];
  const left = scenarios.flatMap((scenario): readonly Share[] => {
    const of = parts(scenario);
    const done = known.filter((result) => result.scenario === scenario).map(caseText);
    return Array.from({ length: of }, (_, index) => ({ scenario, index, of, known: done }));
  });
  const heard = (answer: Answer): void => {
    if (answer.kind === "enumerated") effects.set(answer.scenario, answer.effects);
    if (answer.kind === "result") results.push(answer.result);
    if (answer.kind === "failed") failures.push(`${answer.scenario}: ${answer.error}`);
    onAnswer?.(answer);
  };
  await Promise.all(Array.from({ length: jobs }, async () => work(left, orders, heard)));
  return { effects, results, failures };
}

async function work(left: Share[], orders: Orders, heard: OnAnswer): Promise<void> {
  const cache = join(buildFolder, "cache", "compiled");
  mkdirSync(cache, { recursive: true });
  const worker = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "unshare", "--mount", "--uts", "--net", "--propagation", "private", "--"],
      ...[process.execPath, join(import.meta.dirname, "worker.ts"), JSON.stringify(orders)],
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, NODE_COMPILE_CACHE: cache, NO_COLOR: "1" } },
  );
  const ended = new Promise<string>((resolve, reject) => {
    worker.on("error", reject);
    worker.on("close", (status, signal) => resolve(signal ?? `exit ${status}`));
  });
  let current = "";
  const next = (): void => {
    const share = left.shift();
    current = share?.scenario ?? "";
    if (share === undefined) worker.stdin.end();
    else worker.stdin.write(`${JSON.stringify(share)}\n`);
  };
  next();
  for await (const line of createInterface({ input: worker.stdout })) {
    const answer = JSON.parse(line) as Answer;
    heard(answer);
    if (answer.kind === "end") next();
  }
  const how = await ended;
  if (how !== "exit 0") heard({ kind: "failed", scenario: current, error: `its worker has ended: ${how}` });
}

/** A line for each scenario, and their sum. */
export function coverageLines({ effects, results, failures }: Coverage): readonly string[] {
  const line = (name: string, count: number, of: readonly Result[]): string => {
    const kinds = (...wanted: readonly string[]): number =>
      of.filter(({ moment, reached }) => reached && wanted.includes(moment.kind)).length;
    const missed = of.filter(({ reached }) => !reached).length;
    const failed = of.filter(({ faults }) => faults.length > 0).length;
    const numbers = [
      count,
      kinds("before"),
      kinds("middle"),
      kinds("after"),
      kinds("full"),
      kinds("io-error"),
      kinds("hang"),
      kinds("order"),
      missed,
      failed,
    ];
    return `${name.padEnd(42)}${numbers.map((number) => String(number).padStart(9)).join("")}`;
  };
  const heads = ["effects", "before", "middle", "after", "full", "io error", "hang", "order", "missed", "FAILED"];
  return [
    `${"".padEnd(42)}${heads.map((head) => head.padStart(9)).join("")}`,
    ...[...effects].map(([name, count]) =>
      line(
        name,
        count,
        results.filter(({ scenario }) => scenario === name),
      ),
    ),
    line(
      "all",
      [...effects.values()].reduce((sum, count) => sum + count, 0),
      results,
    ),
    ...failures.map((failure) => `could not be explored: ${failure}`),
  ];
}

/** One that does not hold, with how to see it again. */
export function failureText({ scenario, effect, name, moment, reboot, faults }: Result, seed: number): string {
  const what = `FAILED ${scenario}, effect ${effect} (${name}), ${momentText(moment)}${reboot ? ", then a reboot" : ""}`;
  const again = `make test-crash EFFECT="${effect} ${momentText(moment)}" SCENARIO="${scenario}" SEED=${seed}`;
  return [what, ...faults.map((fault) => `       ${fault.replaceAll("\n", "\n       ")}`), `       again: ${again}`].join("\n");
}
