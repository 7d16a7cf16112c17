import { expect, test } from "vitest";
import { grubenvCases } from "../crash/grubenv-cases.ts";
import { judgeGrubenv, type Judged } from "../crash/judge-grubenv.ts";
import { recordGrubenv } from "../crash/record-grubenv.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";

/**
 * A power cut at any moment of a write to grubenv, in every way in which the disk may have got at it: GRUB finds the old state or
 * the new one. The writes are recorded below the VFAT of the image's own kernel.
 */

const all = [...grubenvCases.ours, ...grubenvCases.naive];
const recorded = await withPanicRetry(async () => recordGrubenv(all));

async function judge(name: string): Promise<Judged> {
  const [one, record] = [all.find((found) => found.name === name), recorded.get(name)];
  if (one === undefined || record === undefined) throw new Error(`${name} was not recorded`);
  return judgeGrubenv(one, record);
}

function told({ states, bad, notDurable }: Judged): string {
  return `${states.during} + ${states.afterwards} states, ${bad.length} bad, ${notDurable.length} not the new ones after the return`;
}

test.for(grubenvCases.ours)(
  "our write leaves nothing but the old and the new, and the new once it has returned: $name",
  async ({ name }, { annotate }) => {
    const judged = await judge(name);
    await annotate(told(judged));
    expect(judged).toMatchObject({ bad: [], notDurable: [] });
    expect(judged.states.during).toBeGreaterThan(1);
    expect(judged.states.afterwards).toBeGreaterThan(0);
  },
);

test.for(["truncate", "cat", "rename", "rename-synced"])(
  "the test can fail: this way leaves states that are neither: %s",
  async (name, { annotate }) => {
    const judged = await judge(name);
    await annotate(told(judged));
    expect(judged.bad).not.toEqual([]);
  },
);

test.for(["cat", "rename", "rename-synced"])("the test can fail: this way has returned before it lasts: %s", async (name) => {
  const { notDurable } = await judge(name);
  expect(notDurable).not.toEqual([]);
});
