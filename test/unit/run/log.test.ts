import { expect, test } from "vitest";
import type { LogLine } from "../../../src/boot/show/log-lines.ts";
import { journalFields, jsonLog, prefixedText } from "../../../src/run/log.ts";
import { Secret } from "../../../src/base/secret.ts";

async function emitted(...lines: readonly LogLine[]): Promise<readonly string[]> {
  const out: string[] = [];
  const log = jsonLog((line) => out.push(line));
  for (const line of lines) log.write(line);
  await log.close();
  return out;
}

test("a line is one JSON object with level, time, fields and message", async () => {
  const [text = ""] = await emitted({ level: "info", message: "one\ntwo", fields: { event: "unit", unit: "var", seconds: 1.5 } });
  expect(text).not.toContain("\n");
  expect(JSON.parse(text)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    event: "unit",
    unit: "var",
    seconds: 1.5,
    msg: "one\ntwo",
  });
});

test("lines keep their order, also those written while the library is loaded", async () => {
  const out: string[] = [];
  const log = jsonLog((line) => out.push(line));
  for (const message of ["1", "2", "3"]) log.write({ level: "info", message, fields: {} });
  await new Promise((resolve) => setTimeout(resolve, 0));
  log.write({ level: "info", message: "4", fields: {} });
  await log.close();
  log.write({ level: "info", message: "5", fields: {} });
  expect(out.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["1", "2", "3", "4", "5"]);
});

test("a log that nothing was written to loads nothing and ends", async () => {
  expect(await emitted()).toEqual([]);
});

test.each([
  ["error", "3"],
  ["warn", "4"],
  ["notice", "5"],
  ["info", "6"],
] as const)("in the journal, %s has priority %s, and fields have names of ours", (level, priority) => {
  const line: LogLine = { level, message: "text", fields: { unit: "var", seconds: 2 } };
  expect(journalFields(line)).toEqual({
    MESSAGE: "text",
    PRIORITY: priority,
    SYSLOG_IDENTIFIER: "guestos-boot",
    GUESTOS_UNIT: "var",
    GUESTOS_SECONDS: "2",
  });
  expect(prefixedText(line)).toBe(`<${priority}>text`);
});

test("a secret that got into a field by mistake is not told", async () => {
  const fields = { key: new Secret(Buffer.from("canary")) as unknown as string };
  const line: LogLine = { level: "info", message: "x", fields };
  expect(await emitted(line)).toEqual([expect.stringContaining("[secret]")]);
  expect(JSON.stringify(journalFields(line))).not.toMatch(/canary|99,97,110/);
});
