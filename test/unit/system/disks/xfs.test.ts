import { expect, test } from "vitest";
import { ProblemError } from "../../../../src/base/problem.ts";
import { parseGeometry } from "../../../../src/system/disks/xfs.ts";

/** As xfs_growfs -n of xfsprogs 6.13 prints it. */
const GEOMETRY = `meta-data=/dev/mapper/store-shared--data isize=512    agcount=4, agsize=131072 blks
         =                       sectsz=512   attr=2, projid32bit=1
data     =                       bsize=4096   blocks=524288, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1, parent=0
log      =internal log           bsize=4096   blocks=16384, version=2
realtime =none                   extsz=4096   blocks=0, rtextents=0
`;

test("the size is that of the data section, and of no other", () => {
  expect(parseGeometry(GEOMETRY)).toBe(2 * 1024 ** 3);
});

test("an answer without it is none", () => {
  expect(() => parseGeometry(GEOMETRY.replace("data   ", "dada   "))).toThrow(ProblemError);
});
