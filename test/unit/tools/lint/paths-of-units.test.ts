import { expect, test } from "vitest";
import { heldTo, refusedBy } from "../../../support/own-rule.ts";

const RULE = "guestos/no-absolute-path";

test("a path in a unit is an error, but for what it owns and the names of devices", () => {
  const refused = ['export const a = "/proc/sys/vm/swappiness";', "export const b = `/etc/${a}`;", 'export const c = { file: "/x" };'];
  const taken = [
    'export const unit = { owns: ["/etc/ssh", `/run/${a}`] };',
    'export const waiting = { awaits: ["/run/config/type"] };',
    "export const device = `/dev/mapper/${a}`;",
    "export const below = `${a}/log`;",
    'export const slash = "/";',
  ];
  const { lines, words } = refusedBy(RULE, [...refused, ...taken]);
  expect(lines).toEqual([1, 2, 3]);
  expect(words).toEqual([expect.stringContaining("take it from the layout")]);
});

test("make check holds all units to it", () => {
  expect(heldTo(RULE)).toEqual([["src/units/**"]]);
});
