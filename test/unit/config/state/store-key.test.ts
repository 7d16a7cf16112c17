import { expect, test } from "vitest";
import { encodeStoreKey, parseStoreKey } from "../../../../src/config/state/store-key.ts";

const secret = Buffer.alloc(32, 7);
const parameters = { salt: Buffer.alloc(16, 9), memoryKiB: 8192, passes: 1, parallelism: 1 };
const file = "/boot/config/store.keyfile";

test("what was encoded is parsed back", () => {
  const key = parseStoreKey(encodeStoreKey(secret, parameters), file);
  expect(key.kind).toBe("derived");
  expect(Buffer.from(key.secret.expose())).toEqual(secret);
  expect(key).toMatchObject({ parameters: { memoryKiB: 8192, passes: 1, parallelism: 1 } });
});

test("a raw key of an existing node is taken as it is", () => {
  const raw = Buffer.from(Array.from({ length: 64 }, (_, index) => index * 3));
  const key = parseStoreKey(raw, file);
  expect(key.kind).toBe("raw");
  expect(Buffer.from(key.secret.expose())).toEqual(raw);
});

test("an empty, short or far too long file is damaged, not a raw key", () => {
  for (const length of [0, 1, 15, 8193]) expect(() => parseStoreKey(Buffer.alloc(length, 1), file)).toThrow(/store key is damaged/);
});

test("zeros alone are no key: a file that lost its content, which would encrypt with what everyone knows", () => {
  for (const length of [16, 32, 64, 8192]) {
    expect(() => parseStoreKey(Buffer.alloc(length), file)).toThrow(`found ${length} zeros`);
    expect(parseStoreKey(Buffer.alloc(length).fill(1, length - 1), file).kind).toBe("raw");
  }
});

test("any cut and any flipped bit of our format is noticed", () => {
  const whole = encodeStoreKey(secret, parameters);
  const magicLength = "guestos-boot-key ".length;
  for (let length = magicLength; length < whole.length; length += 1)
    expect(() => parseStoreKey(whole.slice(0, length), file)).toThrow(/damaged/);
  for (let index = magicLength; index < whole.length; index += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
      expect(() => parseStoreKey(flipped, file)).toThrow(/damaged/);
    }
  }
});

test("the error and the parsed key show nothing of the secret", () => {
  const canary = Buffer.from("canary-canary-canary-canary-1234");
  const key = parseStoreKey(encodeStoreKey(canary, parameters), file);
  expect(JSON.stringify(key)).not.toContain("canary");
  expect(String(key.secret)).toBe("[secret]");
  const broken = Buffer.concat([encodeStoreKey(canary, parameters), Buffer.from("x")]);
  expect(() => parseStoreKey(broken, file)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("canary") }));
});
