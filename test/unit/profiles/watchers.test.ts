import { expect, test } from "vitest";
import { profileNames } from "../../../src/config/layout/profile-name.ts";
import { loadProfile } from "../../../src/profiles/profiles.ts";
import { upkeepOf } from "../../../src/profiles/maintenance.ts";
import { mendedAtAnyTime } from "../../../src/profiles/watchers.ts";

test.each(profileNames)("on %s, what is looked at when the monitor starts is what it may mend", async (name) => {
  const { chain } = await loadProfile(name);
  const mended = [...chain, ...upkeepOf(chain)].filter(({ mends }) => mends).map((unit) => unit.name);
  expect(mendedAtAnyTime(name).toSorted()).toEqual(mended.toSorted());
});

test("the monitor's own units are a GuestOS's, and their names are none of its chain's", async () => {
  const [guestos, boundary] = [(await loadProfile("guestos")).chain, (await loadProfile("boundary")).chain];
  expect(upkeepOf(guestos).map(({ name }) => name)).toEqual(["data-growth", "backup-spool"]);
  expect(upkeepOf(boundary)).toEqual([]);
  const names = [...guestos, ...upkeepOf(guestos)].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
