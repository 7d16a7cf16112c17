import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";

test("a secret does not show, however it is printed, joined, serialised, copied or inspected", () => {
  const secret = new Secret(Buffer.from("canary"));
  const shown = [
    String(secret),
    ["a", secret].join(),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9, customInspect: true }),
    inspect(secret, { showHidden: true, customInspect: false }),
    format("%s %o %j %O", secret, secret, secret, secret),
    JSON.stringify(structuredClone({ secret })),
    Object.values(secret).join(),
    Object.getOwnPropertyNames(secret).join(),
  ].join("\n");
  // The bytes also as numbers, as a Buffer would print them, and in hexadecimal.
  expect(shown).not.toMatch(/canary|99,\s*97|63 61 6e|63616e/);
  expect(String(secret)).toBe("[secret]");
});

test("the bytes come out by one way alone", () => {
  const bytes = Buffer.from([0, 255]);
  expect(new Secret(bytes).expose()).toBe(bytes);
});
