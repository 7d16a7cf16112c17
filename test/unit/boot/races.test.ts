import { expect, test } from "vitest";
import { type Access, raceProblems } from "../../../src/boot/races.ts";
import { defineUnit, type Unit } from "../../../src/boot/unit.ts";

type Any = Unit<object>;
const unit = (name: string, extra: Partial<Any> = {}): Any => defineUnit<object>({ name, title: name, plan: async () => [], ...extra });

const writer = unit("writer", { owns: ["/boot/config/a.conf", "/run/tree", "mount:/var"] });
const behind = unit("behind", { after: [writer] });
const further = unit("further", { requires: [behind] });
const beside = unit("beside", { owns: ["/run/beside"] });
const waiting = unit("waiting", { awaits: ["/boot/config/a.conf"] });
const helped = unit("helped", { requires: [waiting] });
const chain = [writer, behind, further, beside, waiting, helped];

/** Codes, with the unit and the path, of the problems that one access makes. */
function found(access: Access): readonly string[] {
  return raceProblems(chain, [access]).map(({ code, what }) => `${code}: ${what}`);
}

test.each<readonly [string, Access, string | undefined]>([
  ["what it owns may be written", { unit: "writer", kind: "write", path: "/boot/config/a.conf" }, undefined],
  ["and what is below it", { unit: "writer", kind: "write", path: "/run/tree/deep/file" }, undefined],
  ["a file of no one is not", { unit: "writer", kind: "write", path: "/boot/config/b.conf" }, "unit-writes-unowned"],
  ["a mount is not all of its content", { unit: "writer", kind: "write", path: "/var/lib/x" }, "unit-writes-unowned"],
  ["nor is another unit's", { unit: "beside", kind: "write", path: "/boot/config/a.conf" }, "unit-writes-unowned"],
  ["unless it comes behind its owner", { unit: "behind", kind: "write", path: "/boot/config/a.conf" }, undefined],
  ["a folder may be made by anyone", { unit: "beside", kind: "make", path: "/run/tree" }, undefined],
  ["behind its writer a file is read", { unit: "behind", kind: "read", path: "/boot/config/a.conf" }, undefined],
  ["also far behind", { unit: "further", kind: "read", path: "/boot/config/a.conf" }, undefined],
  ["beside it is a race", { unit: "beside", kind: "read", path: "/boot/config/a.conf" }, "unit-reads-unordered"],
  ["so is the list of the folder", { unit: "beside", kind: "list", path: "/boot/config" }, "unit-reads-unordered"],
  ["the folder itself is not", { unit: "beside", kind: "read", path: "/boot/config" }, undefined],
  ["what is on a mount is there behind it", { unit: "beside", kind: "read", path: "/var/lib/x" }, "unit-reads-unordered"],
  ["a unit that waits for the file by itself", { unit: "waiting", kind: "read", path: "/boot/config/a.conf" }, undefined],
  ["and one behind it", { unit: "helped", kind: "read", path: "/boot/config/a.conf" }, undefined],
  ["but for that file alone", { unit: "helped", kind: "read", path: "/run/tree" }, "unit-reads-unordered"],
  ["a file of the kernel is no one's", { unit: "beside", kind: "write", path: "/proc/sys/kernel/hostname" }, undefined],
  ["a unit of another chain is not known", { unit: "elsewhere", kind: "write", path: "/etc/shadow" }, undefined],
])("%s", (_, access, code) => {
  expect(found(access)).toEqual(
    code === undefined ? [] : [expect.stringMatching(`^${code}: ${access.unit} (reads|writes) ${access.path}, which`)],
  );
});

test("a problem names the owner, and the line of the source that did it", () => {
  const place = "src/units/beside.ts:7";
  expect(raceProblems(chain, [{ unit: "beside", kind: "read", path: "/boot/config/a.conf", place }])).toEqual([
    {
      code: "unit-reads-unordered",
      what: "beside reads /boot/config/a.conf, which writer owns, in no order with it",
      found: place,
      todo: "put writer into `requires` or `after` of beside",
    },
  ]);
});

test("one path of one unit is told once, however often it was read", () => {
  const access: Access = { unit: "beside", kind: "read", path: "/run/tree/a" };
  expect(raceProblems(chain, [access, access, { ...access, kind: "list" }])).toHaveLength(1);
});
