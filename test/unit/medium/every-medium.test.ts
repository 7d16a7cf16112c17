import { expect, test } from "vitest";
import { profiles } from "../../../src/profiles/profiles.ts";

const media = await Promise.all(Object.entries(profiles).map(async ([profile, { medium }]) => ({ profile, ...(await medium()) })));

const files = media.flatMap(({ profile, configFiles, dataFiles }) => [
  ...[...configFiles].map(([name, { check }]) => [profile, name, check] as const),
  ...[...dataFiles].map(([name, check]) => [profile, name, check] as const),
]);

// Bytes that are no UTF-8, and a control character: no format has either, nor would a key be read from them.
test.each(files)("%s: %s refuses nonsense, and says where", (_, name, check) => {
  for (const nonsense of [Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from("a\u0001b\n")]) expect(() => check(nonsense, name)).toThrow(name);
});
