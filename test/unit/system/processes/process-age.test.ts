import { expect, test } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { processStart } from "../../../../src/system/processes/process-age.ts";
import { fakeHost } from "../../../support/fake-host.ts";

test("the start is found behind a program's name that holds blanks and parentheses", async () => {
  const stat = "312 (a) (b c) S 1 312 312 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 11 0 4242 1000 200 18446744073709551615";
  expect(await processStart(fakeHost({ files: { "/proc/312/stat": stat } }), 312)).toBe(42.42);
});

test("a process that is not there has no start", async () => {
  expect(await processStart(fakeHost(), 312)).toBeUndefined();
});

test("this process has started, and not in the future", async () => {
  const start = await processStart(systemHost({ signal: new AbortController().signal }), process.pid);
  expect(start).toBeLessThanOrEqual(Number(process.hrtime.bigint()) / 1e9);
});
