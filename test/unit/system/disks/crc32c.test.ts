import { expect, test } from "vitest";
import { crc32c } from "../../../../src/system/disks/crc32c.ts";

test("the sum of the check string is that of RFC 3720, not inverted", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(~0xe3069283 >>> 0);
  expect(crc32c(Buffer.alloc(32))).toBe(~0x8a9136aa >>> 0);
  expect(crc32c(Buffer.alloc(0))).toBe(0xffffffff);
});
