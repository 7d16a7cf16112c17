import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { graphProblems, inOrder } from "../../../src/boot/graph.ts";
import { repairedAtAnyTime } from "../../../src/profiles/profile.ts";
import { profileNames, profiles } from "../../../src/profiles/profiles.ts";

test.each(Object.entries(profiles))("on %s, what is inspected when the monitor starts is what it may repair", async (_, profile) => {
  const units = [...(await profile.chain()), ...(await profile.maintenance())];
  const repaired = units.filter(({ repairs }) => repairs).map(({ name }) => name);
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

describe.each(profileNames)("%s", async (name) => {
  const chain = await profiles[name].chain();

  test("the chain is sound", () => {
    expect(graphProblems(chain)).toEqual([]);
  });

  test("it is written down in an order in which it could be run", () => {
    const names = chain.map((unit) => unit.name);
    for (const unit of chain) {
      for (const first of [...unit.requires, ...unit.after])
        expect(names.indexOf(first.name), `${first.name} before ${unit.name}`).toBeLessThan(names.indexOf(unit.name));
    }
    expect(inOrder(chain)).toHaveLength(chain.length);
  });
});

test("docs/profiles.md has a row for every profile: add one, and say what it boots", () => {
  const [table = ""] = /^\| profile \|.*\n(?:\|.*\n)+/m.exec(readFileSync("docs/profiles.md", "utf8")) ?? [];
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)).toEqual(profileNames);
});

test("every unit of src/units is in a profile: add a line for what is missing to its chain", async () => {
  const exported = (await Promise.all(globSync("src/units/**/*.ts").map(async (file) => import(resolve(file)) as Promise<object>)))
    .flatMap((module) => Object.values(module) as readonly unknown[])
    .filter((value) => typeof value === "object" && value !== null && "plan" in value && "requires" in value);
  const used = new Set<unknown>();
  for (const { chain, maintenance } of Object.values(profiles))
    // By what it does: a profile may have a copy that waits for other units.
    for (const { plan } of [...(await chain()), ...(await maintenance())]) used.add(plan);
  expect(exported.length).toBeGreaterThan(20);
  expect(exported.filter(({ plan }) => !used.has(plan))).toEqual([]);
});
