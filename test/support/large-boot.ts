import { EventScript } from "./record-events.ts";

/**
 * A boot of so many units, with all that a picture has to show: units that wait for one another, tools, a wait for a device, one that
 * failed, one that is degraded, what was skipped, and names of many lengths. The same each time.
 */
export function largeBoot(count: number): EventScript {
  const random = sameNumbers();
  const units = Array.from({ length: count }, (_, index) => ({
    name: `${WORDS[index % WORDS.length]}-${index}`,
    requires: requirementsOf(index, random).map((at) => `${WORDS[at % WORDS.length]}-${at}`),
  }));
  const script = new EventScript(units, { stage: "early", at: 3 });
  const ends = new Map<string, number>();
  const lost = new Set<string>();
  for (const [index, { name, requires }] of units.entries()) {
    const start = Math.max(3, ...requires.map((other) => ends.get(other) ?? 3)) + 0.02;
    const took = 0.2 + 4 * random() ** 3;
    if (requires.some((other) => lost.has(other))) {
      lost.add(name);
      ends.set(name, start);
      script.ended(start, name, { kind: "skipped", because: requires.filter((other) => lost.has(other)) });
      continue;
    }
    ends.set(name, start + took);
    const unit = script.unit(start, name);
    const plan = script.start(start, { kind: "plan" }, unit);
    script.end(start + took / 5, plan, { kind: "planned", actions: [] });
    if (index % 23 === 5) {
      const wait = script.start(
        start + took / 5,
        { kind: "retry", problem: { code: "test-problem", what: `/dev/vda${index} is not there` } },
        unit,
      );
      script.end(start + took / 2, wait, { kind: "done" });
    }
    const action = script.start(start + took / 2, { kind: "action", description: `make ${name}`, effect: "provision" }, unit);
    const tool = script.start(start + 0.6 * took, { kind: "tool", argv: ["/usr/sbin/mkfs.ext4", "-q", `/dev/${name}`] }, action);
    script.end(start + 0.9 * took, tool, { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" });
    script.end(start + 0.95 * took, action, { kind: "done" });
    const problem = {
      code: "test-problem",
      what: `${name} does not hold what it should`,
      found: "data",
      expected: "none",
      todo: "find out what it is",
    };
    if (index % 61 === 60) {
      lost.add(name);
      script.ended(start + took, name, { kind: "failed", problem });
    } else if (index % 29 === 7) script.ended(start + took, name, { kind: "degraded", problem });
    else if (index % 3 === 0) script.ended(start + took, name, { kind: "changed", provisioned: [`make ${name}`], activated: [] });
    else script.ended(start + took, name, { kind: "unchanged", activated: [`make ${name}`] });
  }
  return script.finish(Math.max(...ends.values()), "failed");
}

const WORDS = [
  "var",
  "store-key",
  "network",
  "a-unit-with-quite-a-long-name",
  "injected-data",
  "i",
  "Wide-NAMES-WWW",
  "volume-filesystems",
];

/** One to three of those shortly before it; the first ones need nothing. */
function requirementsOf(index: number, random: () => number): readonly number[] {
  if (index < 4) return [];
  const wanted = 1 + Math.floor(3 * random());
  return [...new Set(Array.from({ length: wanted }, () => Math.max(0, index - 1 - Math.floor(25 * random()))))].toSorted((a, b) => a - b);
}

/** Like Math.random, from a seed. */
function sameNumbers(): () => number {
  let state = 20_261_125;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
