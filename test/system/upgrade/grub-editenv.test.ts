import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseGrubenv, renderGrubenv, savedByGrub } from "../../../src/upgrade/grubenv.ts";
import { namespaceRoot } from "../../support/namespace.ts";

/** GRUB's own tool has the same lib/envblk.c as its command load_env: it is asked what it makes of the same blocks. */
const file = join(namespaceRoot(), "grubenv");

function editenv(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync("grub-editenv", [file, ...args], { encoding: "latin1" });
  return { status, stdout };
}

function block(lines: string, length = 1024): Buffer {
  return Buffer.from(`# GRUB Environment Block\n${lines}`.padEnd(length, "#"), "latin1");
}

function expectAgreement(bytes: Buffer): void {
  writeFileSync(file, bytes);
  const { readable, variables } = parseGrubenv(bytes, []);
  const listed = editenv("list");
  expect(listed.status === 0).toBe(readable);
  if (readable) expect(listed.stdout).toBe(variables.map(({ name, value }) => `${name}=${value}\n`).join(""));
  const { status } = editenv("set", "boot_cycle=failsafe_check");
  const saved = savedByGrub(bytes, [["boot_cycle", "failsafe_check"]]);
  // The tool says when there is no room; the boot loader does the same without a word.
  expect(readFileSync(file, "latin1")).toBe(Buffer.from(saved).toString("latin1"));
  if (status !== 0) expect(saved).toEqual(bytes);
}

test.each([
  ["empty", Buffer.alloc(0)],
  ["zeros", Buffer.alloc(1024)],
  ["the signature alone", block("", 25)],
  ["nothing in it", block("")],
  ["a shipped one", block("boot_alternative=A\nboot_cycle=install\n")],
  ["another length", block("boot_alternative=A\nboot_cycle=install\n", 2048)],
  ["short", block("boot_alternative=B\nboot_cycle=first_boot\n", 70)],
  ["two of a name", block("boot_cycle=first_boot\nboot_cycle=stable\n")],
  ["escapes", block("a=one\\\\two\\\nthree\nboot_cycle=x\n")],
  ["no end", block("boot_alternative=B\nboot_cycle=first_boot")],
  ["no equals sign", block("junk\nboot_cycle=first_boot\nx")],
  ["an empty value", block("boot_alternative=\nboot_cycle=\n")],
  ["a NUL", block("boot_alternative=A\0B\nboot_cycle=stable\n")],
  ["a comment", block("# boot_cycle=install\nboot_cycle=stable\n")],
  ["no room", block(`boot_cycle=first_boot\nx=${"y".repeat(971)}\n`)],
  ["an escape at its very end", block("boot_cycle=stable\nx=y".padEnd(998, "z") + "\\")],
])("GRUB's tool and we read and save the same: %s", (_, bytes) => {
  expectAgreement(bytes);
});

const shipped = block("boot_alternative=A\nboot_cycle=stable\nother=1\n");

test.each([
  ["a newline too many", Buffer.concat([shipped, Buffer.from("\n")])],
  ["a newline in place of the last #", Buffer.concat([shipped.subarray(0, 1023), Buffer.from("\n")])],
  ["another system's end of line", Buffer.concat([shipped, Buffer.from("\r\n")])],
  ["a remark behind it", Buffer.concat([shipped, Buffer.from(" the end\n")])],
  ["a variable behind it", Buffer.concat([shipped, Buffer.from("\nmore=2\n")])],
])("GRUB's tool cannot add to a block with %s; to the one in its place it can, and all that it listed is still there", (_, bytes) => {
  const added = ["added=a value that is longer than nothing"];
  writeFileSync(file, bytes);
  const listed = editenv("list").stdout;
  expect(editenv("set", ...added).status).toBe(1);
  expectAgreement(bytes);
  writeFileSync(file, renderGrubenv([], parseGrubenv(bytes, []).others));
  expect(editenv("list").stdout).toBe(listed);
  expect(editenv("set", ...added)).toMatchObject({ status: 0 });
  expect(editenv("list").stdout).toBe(`${listed}${added[0]}\n`);
  expect(readFileSync(file)).toHaveLength(1024);
});

test("and the same of garbage", () => {
  const unit = fc.constantFrom("boot_alternative=", "boot_cycle=", "A", "B", "\n", "\n", "\\", "#", "=", "stable", "first_boot");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (lines) => expectAgreement(block(lines))),
    { numRuns: 150 },
  );
});
