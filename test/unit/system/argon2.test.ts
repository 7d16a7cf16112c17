import { argon2Sync } from "node:crypto";
import { argon2id as ARGON2ID, hash } from "argon2";
import fc from "fast-check";
import { expect, test } from "vitest";
import { argon2id } from "../../../src/system/argon2.ts";
import { Secret } from "../../../src/base/secret.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** RFC 9106, section 5.3: the only published vector, with a secret value and associated data, which our keys do not use. */
const rfc = {
  password: Buffer.alloc(32, 1),
  salt: Buffer.alloc(16, 2),
  secret: Buffer.alloc(8, 3),
  associatedData: Buffer.alloc(12, 4),
  tag: "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
};

test("the package computes the test vector of RFC 9106", async () => {
  const { password, salt, secret, associatedData } = rfc;
  const costs = { memoryCost: 32, timeCost: 3, parallelism: 4, hashLength: 32 };
  const derived = await hash(password, { type: ARGON2ID, version: 0x13, ...costs, salt, secret, associatedData, raw: true });
  expect(hex(derived)).toBe(rfc.tag);
});

test("Node's own argon2, which the next test compares with, computes it too", () => {
  const costs = { memory: 32, passes: 3, parallelism: 4, tagLength: 32 };
  const { password: message, salt: nonce, secret, associatedData } = rfc;
  expect(hex(argon2Sync("argon2id", { message, nonce, secret, associatedData, ...costs }))).toBe(rfc.tag);
});

test("keys are those that Node's own argon2 derives, whatever the parameters", async () => {
  const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength });
  const parameters = fc.record({
    salt: bytes(8, 32),
    memoryKiB: fc.integer({ min: 32, max: 128 }),
    passes: fc.integer({ min: 1, max: 3 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
    length: fc.integer({ min: 4, max: 64 }),
  });
  await fc.assert(
    fc.asyncProperty(bytes(0, 64), parameters, async (message, { salt, memoryKiB, passes, parallelism, length }) => {
      const derived = await argon2id(new Secret(message), { salt, memoryKiB, passes, parallelism, length });
      const expected = argon2Sync("argon2id", { message, nonce: salt, memory: memoryKiB, passes, parallelism, tagLength: length });
      expect(hex(derived.expose())).toBe(hex(expected));
    }),
    { numRuns: 50 },
  );
});

test("parameters that argon2 does not allow are refused", async () => {
  const parameters = { salt: Buffer.alloc(16), memoryKiB: 32, passes: 1, parallelism: 1, length: 32 };
  await expect(argon2id(new Secret(Buffer.alloc(32)), { ...parameters, salt: Buffer.alloc(4) })).rejects.toThrow("Salt is too short");
  await expect(argon2id(new Secret(Buffer.alloc(32)), { ...parameters, passes: 0 })).rejects.toThrow("Time cost is too small");
});
