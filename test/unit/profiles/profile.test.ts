import { expect, test } from "vitest";
import { graphProblems } from "../../../src/boot/graph.ts";
import { repairedAtAnyTime } from "../../../src/profiles/profile.ts";
import { profiles } from "../../../src/profiles/profiles.ts";

test.each(Object.entries(profiles))("on %s, what is inspected when the monitor starts is what it may repair", async (_, profile) => {
  const units = [...(await profile.chain()), ...(await profile.maintenance())];
  const repaired = units.filter(({ mends }) => mends).map(({ name }) => name);
  expect((await repairedAtAnyTime(profile)).toSorted()).toEqual(repaired.toSorted());
});

test.each(Object.entries(profiles))(
  "on %s, the chain and the monitor's own units are sound together",
  async (_, { chain, maintenance }) => {
    expect(graphProblems([...(await chain()), ...(await maintenance())])).toEqual([]);
  },
);

test.each(Object.entries(profiles))(
  "on %s, what the monitor inspects in its own process is in the chain and has a watcher",
  async (_, profile) => {
    const [chain, watchers] = [await profile.chain(), (await profile.watchers()).map(({ name }) => name)];
    for (const unit of await profile.quick()) {
      expect(chain).toContain(unit);
      expect(watchers).toContain(unit.name);
    }
  },
);
