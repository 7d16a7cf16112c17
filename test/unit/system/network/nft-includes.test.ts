import { expect, test } from "vitest";
import { includesIn, readIncludes } from "../../../../src/system/network/nft-includes.ts";
import { fakeHost } from "../../../support/fake-host.ts";

test("names are found wherever they are, and not in comments", () => {
  const text = `include "a.nft"\n# include "b"\ntable inet x { include 'c d'; } # include "e"\n  include   "/f/*.nft"\ninclude broken\n`;
  expect(includesIn(text)).toEqual(["a.nft", "c d", "/f/*.nft"]);
});

test("what is included is read through, patterns and missing files are watched too", async () => {
  const host = fakeHost({
    files: {
      "/etc/a.nft": 'include "/etc/a.nft"\ninclude "/gone/x"\n',
      "/f/1.nft": "one",
      "/f/2.nft": "two",
      "/f/3.conf": "three",
    },
  });
  const { files, watch } = await readIncludes(host, 'include "a.nft"\ninclude "/f/*.nft"\n');
  expect(files.map(({ file }) => file)).toEqual(["/etc/a.nft", "/f/1.nft", "/f/2.nft"]);
  expect(watch.toSorted()).toEqual(["/etc/a.nft", "/f/*.nft", "/f/1.nft", "/f/2.nft", "/gone/x"]);
});

test("a ring of files comes to an end", async () => {
  const host = fakeHost({ files: { "/a": 'include "/b"\n', "/b": 'include "/a"\n' } });
  expect((await readIncludes(host, 'include "/a"\n')).files).toHaveLength(2);
});
