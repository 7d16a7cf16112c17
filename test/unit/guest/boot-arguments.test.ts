import fc from "fast-check";
import { expect, test } from "vitest";
import { bootArguments } from "../../../src/guest/boot-arguments.ts";
import { bootArgs } from "../../../image/grub.ts";
import { kernelArguments, partitionsOf } from "../../../image/layout.ts";

/** As the tests of the host's own reader have them (dfinity/ic, guest_vm_runner/src/boot_args.rs). */
test.each([
  ["X=simple_value", "simple_value"],
  ['X="quoted value"', "quoted value"],
  ["X='single quoted'", "single quoted"],
  [String.raw`X="value with \"escaped\" quotes"`, 'value with "escaped" quotes'],
  ["X=value # this is a comment", "value"],
  ["X=value# comment", "value"],
  ['X="value # not a comment"', "value # not a comment"],
  ["  X=  value  ", undefined],
  ["X=", ""],
  ["X=  ", ""],
  ['X=""', ""],
  [String.raw`X=hello\\world`, String.raw`hello\world`],
  [String.raw`X=hello\ dear\ world`, "hello dear world"],
  ["OTHER=value", undefined],
  ["X_EXTRA=value", undefined],
  ["X", undefined],
  ['X="unclosed quote', undefined],
  [`X="value'`, undefined],
  ["X=value with spaces   # comment", undefined],
  ['X=" whitespace "', " whitespace "],
  [String.raw`X="value\nwith\tescapes \"x\"=\"y\""`, 'value\nwith\tescapes "x"="y"'],
  ["X=first\nX=second\n", "second"],
  ["X=first\nX='open\n", "first"],
  ["X=value\r\n", "value"],
])("%j is %j", (text, value) => {
  expect(bootArguments(text, "X")).toBe(value);
});

test("a quoted value comes out as it went in; no text makes the reader hang", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab =#'\"\\/") }), (value) => {
      const quoted = value.replaceAll(/["\\]/g, (character) => `\\${character}`);
      expect(bootArguments(`X="${quoted}" # b\n`, "X")).toBe(value);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => void bootArguments(`X=${text}`, "X")));
  expect(bootArguments(`X="${"\\a".repeat(30_000)}`, "X")).toBeUndefined();
});

test("what an image of ours has is read", () => {
  const text = bootArgs((slot) => kernelArguments(slot, partitionsOf("lab"), { hash: "0".repeat(64), offset: 4096 }));
  expect(bootArguments(text, "BOOT_ARGS_B")).toContain("dfinity.system=B");
});
