import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { keepLogs } from "../../../src/guest/kept-logs.ts";
import { systemHost } from "../../../src/system/host.ts";
import { namespaceRoot } from "../../support/namespace.ts";

let folder: string;
beforeEach(() => {
  folder = namespaceRoot();
});

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const keep = async (): Promise<void> => keepLogs(systemHost(), join(folder, "log"));
const kept = (): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));

test("the logs of five starts are kept", async () => {
  for (const start of ["1", "2", "3", "4", "5", "6", "7"]) {
    write("log", start);
    await keep();
  }
  expect(kept()).toEqual({ "log-1": "7", "log-2": "6", "log-3": "5", "log-4": "4", "log-5": "3" });
});

test("a start that left no log, or an empty one, pushes none out", async () => {
  write("log", "1");
  await keep();
  await keep();
  write("log", "");
  await keep();
  expect(kept()).toEqual({ log: "", "log-1": "1" });
});

test("the part that was moved away last goes with its log, and with no other one", async () => {
  write("log.0", "first part, ");
  write("log", "");
  await keep();
  expect(kept()).toEqual({ "log-1": "", "log-1.0": "first part, " });
  for (const start of ["2", "3", "4", "5"]) {
    write("log", start);
    await keep();
  }
  expect(kept()).toMatchObject({ "log-5": "", "log-5.0": "first part, " });
  write("log", "6");
  await keep();
  expect(kept()).toEqual({ "log-1": "6", "log-2": "5", "log-3": "4", "log-4": "3", "log-5": "2" });
});
