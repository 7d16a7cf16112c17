import { expect, test } from "vitest";
import { BadImage } from "../../../src/upgrade/bad-image.ts";
import { rootHashIn } from "../../../src/upgrade/root-hash.ts";

const hash = "0123456789abcdef".repeat(4);
const other = "f".repeat(64);
const words = `root_hash=${hash} root_hash_offset=1325400064`;

test("the root hash is that of the slot's own line, of whichever reader", () => {
  const found = { hash, offset: 1_325_400_064 };
  expect(rootHashIn(`boot_args_A="ro quiet"\nboot_args_B="ro ${words} quiet"\n`, "B")).toEqual(found);
  expect(rootHashIn(`BOOT_ARGS_A='ro ${words}'\r\nBOOT_ARGS_B=ro\n`, "A")).toEqual(found);
  expect(rootHashIn(`boot_args_A="${words}"\nBOOT_ARGS_A="ro ${words}"\n`, "A")).toEqual(found);
});

test("the last line of a name counts, and the last word of a line", () => {
  expect(rootHashIn(`boot_args_A="root_hash=${other}"\nboot_args_A="root_hash=${other} ${words}"\n`, "A")?.hash).toBe(hash);
  expect(rootHashIn(`boot_args_A="${words}"\nboot_args_A="ro"\n`, "A")).toBeUndefined();
});

test("an image of IC-OS does not say where its tree is", () => {
  const line = `# BOOT_ARGS_A targets partition set "A"\nBOOT_ARGS_B="root=/dev/vda8 console=ttyS0 dfinity.system=B root_hash=${hash}"\n`;
  expect(rootHashIn(line, "B")).toEqual({ hash, offset: 10_603_200_512 });
});

test.each(["", "set x=1\n", "boot_args_A=\nboot_args_B=\n", `boot_args_A="${words}"\n`, `my_boot_args_B="${words}"\n`])(
  "without a word for the slot there is none: %j",
  (text) => expect(rootHashIn(text, "B")).toBeUndefined(),
);

test.each([
  "root_hash=",
  "root_hash=ROOT_HASH",
  `root_hash=${hash.toUpperCase()}`,
  `root_hash=${hash}0`,
  `${words} root_hash_offset=`,
  `${words} root_hash_offset=1`,
  `${words} root_hash_offset=-4096`,
  `${words} root_hash_offset=4096.5`,
  `${words} root_hash_offset=0x1000`,
  `${words} root_hash_offset=9007199254740992000`,
])("a word that is none is not taken for none at all: %s", (line) => {
  expect(() => rootHashIn(`boot_args_B="ro ${line}"\n`, "B")).toThrow(BadImage);
});

test("the two lines of a slot must agree, or one of two ways to boot it would not be verified", () => {
  for (const second of ["ro", `root_hash=${other} root_hash_offset=1325400064`, `root_hash=${hash} root_hash_offset=8192`])
    expect(() => rootHashIn(`boot_args_B="ro ${words}"\nBOOT_ARGS_B="${second}"\n`, "B")).toThrow(/no valid root hash/);
});
