/** Units that reach outside the machine's folder, which test/system/crash/effects.test.ts plants in the chain: none of them may get there. */
import { provision } from "../../../src/boot/unit.ts";
import { type GuestUnit, type Machine, unit } from "../../../src/units/machine.ts";
import { ENVIRONMENT } from "./target.ts";

export const ways = ["replaces", "overwrites", "removes", "gives a tool"] as const;
type Way = (typeof ways)[number];

/** What the planted units are told: what each reaches out to. */
export type Planted = Readonly<Record<Way, string>>;

/** The unit of that way, and its scenario. */
export function plantedName(way: Way): string {
  return `planted-${way.replaceAll(" ", "-")}`;
}

const acts: Readonly<Record<Way, (machine: Machine, path: string) => Promise<unknown>>> = {
  replaces: async ({ host }, path) => host.writeFile(path, "lost", { mode: 0o644 }),
  overwrites: async ({ host }, path) => host.writeInPlace(path, "lost"),
  removes: async ({ host }, path) => host.remove(path),
  "gives a tool": async ({ host }, path) => host.run({ program: "dd", args: ["if=/dev/null", `of=${path}`] }),
};

/** None, unless a test has asked for them. */
export function plantedUnits(): readonly GuestUnit[] {
  const given = process.env[ENVIRONMENT.planted];
  if (given === undefined) return [];
  const paths = JSON.parse(given) as Planted;
  return ways.map((way) =>
    unit({
      name: plantedName(way),
      title: "Reach outside the machine",
      plan: async (machine) => [provision(`change ${paths[way]}`, async () => void (await acts[way](machine, paths[way])))],
    }),
  );
}
