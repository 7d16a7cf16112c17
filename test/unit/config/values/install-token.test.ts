import { expect, test } from "vitest";
import { installToken, readInstallToken } from "../../../../src/config/values/install-token.ts";

test("a token is of what is installed, in whatever order it is found", () => {
  expect(installToken(["a", "b"])).toBe(installToken(["b", "a"]));
  expect(new Set([["a", "b"], ["a"], ["ab"], ["a", "b", ""], []].map((traces) => installToken(traces))).size).toBe(5);
});

test("it is read as a person types it", () => {
  for (let at = 0; at < 200; at += 1) {
    const token = installToken([String(at)]);
    expect(readInstallToken(token)).toBe(token);
    expect(readInstallToken(token.toLowerCase().replace("-", " ").replaceAll("0", "o").replaceAll("1", "l"))).toBe(token);
  }
});

test.each(["", "7KQ2", "7KQ2-M9XDA", "7KQ2-M9XU", "7KQ2-M9X€", "7KQ2/M9XD"])("%j is none", (text) => {
  expect(readInstallToken(text)).toBeUndefined();
});
