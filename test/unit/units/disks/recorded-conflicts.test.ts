import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Intent } from "../../../../src/config/state/intent.ts";
import { profiles } from "../../../../src/profiles/profiles.ts";
import type { Decision } from "../../../../src/run/decision.ts";
import { readObservation } from "../../../../src/run/read-observation.ts";
import type { Told } from "../../../../src/run/recorder.ts";
import { replay } from "../../../../src/run/replay.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { FIXTURES, fileOf } from "../../../support/replay-fixtures.ts";
import { cellName, conflictCells, conflictOf, places } from "../../../support/two-keys.ts";

/**
 * What a node's disk may be found in, as machines saw it (test/vm/conflicts): every conflict of the two-key table. This version decides each
 * from what was recorded there.
 */

const chain = await profiles.guestos.chain();

async function decided(name: string): Promise<{ readonly told: readonly Told[]; readonly decision: Decision }> {
  const { told } = await readObservation(systemHost(), join(FIXTURES, fileOf(name)));
  const [plan] = await replay(chain, told, profiles.guestos);
  // Other words than the recorded ones are no other decision: what is expected is below.
  if (plan === undefined || plan.kind === "not decided") throw new Error(`not decided: ${JSON.stringify(plan)}`);
  return { told, decision: plan.kind === "same" ? plan.decision : plan.now };
}

const cells = Object.entries(places).flatMap(([title, placeOn]) =>
  conflictCells(placeOn("/dev/sda")).map((cell) => [`${title}, ${cellName(cell)}`, placeOn, cell] as const),
);

test("there is a fixture for each place and each content", () => {
  expect(cells.length).toBe(26);
});

test.each(cells)("%s is a conflict, and it is told of what", async (name, placeOn, cell) => {
  const { told, decision } = await decided(name);
  const place = placeOn(diskIn(told));
  // Without an intent, the one that was made has no name in the record.
  const uuid = cell.phase === "none" ? "" : intentIn(told, place.intent).uuid;
  expect(decision).toEqual({ kind: "conflict", problem: expect.objectContaining(conflictOf(place, cell, uuid)) });
});

test("a fixture holds no content of a device or of a file that not everyone may read", () => {
  for (const [name] of cells) {
    const text = readFileSync(join(FIXTURES, fileOf(name)), "utf8");
    expect(text, name).not.toMatch(/"call":"read(?:At|Bytes)"|"bytes":/);
  }
});

/** Which of its two disks was the node's own was the kernel's choice. An opened device has one name on both. */
function diskIn(told: readonly Told[]): string {
  return `/dev/${/\/sys\/class\/block\/(sd[ab])\b/.exec(JSON.stringify(told))?.[1] ?? "sda"}`;
}

function intentIn(told: readonly Told[], name: string): Intent {
  for (const line of told) {
    if ("call" in line && line.args[0] === `/boot/config/intents/${name}.json` && "text" in line.answer)
      return JSON.parse(line.answer.text) as Intent;
  }
  throw new Error(`the intent ${name} was not read`);
}
