import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, fileOf } from "../../support/replay-fixtures.ts";

/** RECORD=1: steps that have a fixture are run, and what their units were answered is kept (docs/reliability.md). */
export const isRecorded = process.env["RECORD"] === "1";

/** Steps that a machine takes no more where nothing is recorded: test/unit replays what it was answered there. */
export function whereRecorded<T>(steps: readonly T[]): readonly T[] {
  return isRecorded ? steps : [];
}

/**
 * Keeps what the plans of that unit were answered, and what they decided, as `guestos-boot replay` reads it.
 *
 * @param observed lines of a run
 */
export function keepReplay(name: string, unit: string, observed: string): void {
  mkdirSync(FIXTURES, { recursive: true });
  writeFileSync(join(FIXTURES, fileOf(name)), trimmed(unit, observed));
}

/** Without what other units were answered, without paths, and without an answer that is the last one to that question anyway. */
function trimmed(wanted: string, observed: string): string {
  const last = new Map<string, string>();
  const lines = observed.split("\n").filter((line) => {
    if (line === "") return false;
    const { run, unit, plan, call, args, answer, decision, beyond } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (run !== undefined) return true;
    if (unit !== wanted) return false;
    if (call === undefined) return decision !== undefined || beyond !== undefined;
    const question = JSON.stringify([unit, plan, call, args]);
    const isNew = last.get(question) !== JSON.stringify(answer);
    last.set(question, JSON.stringify(answer));
    return isNew;
  });
  return lines.map((line) => `${line}\n`).join("");
}
