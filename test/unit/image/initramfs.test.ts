import { expect, test } from "vitest";
import { initramfs } from "../../../image/small-guest/initramfs.ts";

/** What the kernel reads in it (init/initramfs.c): mode, path and contents of each member, up to the trailer. */
function membersOf(archive: Buffer) {
  const members: { readonly mode: string; readonly path: string; readonly contents: string }[] = [];
  for (let at = 0; ;) {
    expect(at % 4).toBe(0);
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const field = (number: number): number => Number.parseInt(archive.toString("latin1", at + 6 + 8 * number, at + 14 + 8 * number), 16);
    const [mode, size, length] = [field(1), field(6), field(11)];
    const path = archive.toString("latin1", at + 110, at + 110 + length - 1);
    const data = Math.ceil((at + 110 + length) / 4) * 4;
    if (path === "TRAILER!!!") return members;
    members.push({ mode: mode.toString(8), path, contents: archive.toString("latin1", data, data + size) });
    at = Math.ceil((data + size) / 4) * 4;
  }
}

test("an initramfs has its folders and files, each on a boundary of four bytes, and ends with its trailer", () => {
  const files = ["", "a", "ab", "abc", "abcd"].map((contents) => ({ path: `dev/${contents.length}${contents}`, contents }));
  expect(membersOf(Buffer.from(initramfs([{ path: "dev" }, ...files])))).toEqual([
    { mode: "40755", path: "dev", contents: "" },
    ...files.map((file) => ({ mode: "100755", ...file })),
  ]);
});
