import { expect, test } from "vitest";
import { tarMembers } from "../../../src/tar/tar-reader.ts";
import { tarOf, type TarSource } from "../../../src/tar/tar-writer.ts";
import { pieces } from "../../support/raw-tar.ts";

const RULES = { extensions: false, zeroPadding: true, headerBytes: 4096, endBytes: 10_240 };

function source(name: string, content: string, size = content.length): TarSource {
  return {
    name,
    file: {
      size,
      chunks: async function* () {
        yield Buffer.from(content);
      },
    },
  };
}

async function written(...sources: readonly TarSource[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(tarOf(sources, 315_532_800)));
}

test("a header is POSIX ustar, field by field", async () => {
  const tar = await written(source("network.conf", "hostname=a\n"));
  // pax(1), "ustar Interchange Format": name, mode, uid, gid, size, mtime, then chksum, typeflag, linkname, magic and version.
  const fields = ["network.conf".padEnd(100, "\0"), "000644 \0", "000000 \0", "000000 \0", "00000000013 ", "02263523000 "];
  expect(tar.toString("latin1", 0, 148)).toBe(fields.join(""));
  expect(tar.toString("latin1", 156, 265)).toBe(["0", "\0".repeat(100), "ustar\0", "00"].join(""));
  // Four blocks: header, content with its padding, and the two of the end mark.
  expect(tar.length).toBe(4 * 512);
  expect(tar.subarray(-1024).every((byte) => byte === 0)).toBe(true);
});

test.each([
  "f",
  "n".repeat(100),
  "n".repeat(101),
  `${"p".repeat(155)}/${"n".repeat(100)}`,
  `${"p".repeat(156)}/${"n".repeat(100)}`,
  `${"deep/".repeat(40)}${"n".repeat(120)}`,
  `${"y".repeat(100)}/`,
  "größe",
  ...Array.from({ length: 12 }, (_, index) => "é".repeat(40 + index)),
])("what is written is read again: %s", async (name) => {
  const tar = await written(name.endsWith("/") ? { name } : source(name, "x"), source("last", "y"));
  const names: string[] = [];
  for await (const member of tarMembers(pieces(tar), RULES)) names.push(member.name);
  expect(names).toEqual([name, "last"]);
});

test.each([
  ["longer", 10],
  ["shorter", 12],
])("a file that has become %s since it was asked for its size is no tar", async (_, size) => {
  await expect(written(source("f", "hostname=a\n", size))).rejects.toThrow("f changed while it was read: found 11 bytes");
});

test("what ustar has no number for is refused before it is read", async () => {
  await expect(written(source("f", "", 8 ** 11))).rejects.toThrow("f is too large for a tar");
});
