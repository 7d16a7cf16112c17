import { expect, test } from "vitest";
import * as documents from "../../../src/analyze/documents.ts";
import { main } from "../../../src/cli/program.ts";
import { elementsOf } from "../../support/markup.ts";
import { firstBoot, noOpBoot } from "../../support/recorded-boots.ts";

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await main(args, { print: (text) => out.push(text), complain: (text) => err.push(text), colour: false });
  return { status, stdout: out.join("\n"), stderr: err.join("\n") };
}

test.each([
  ["time", documents.TimeDocument],
  ["blame", documents.BlameDocument],
  ["critical-chain", documents.CriticalChainDocument],
  ["plot", documents.TimelineDocument],
  ["report", documents.TimelineDocument],
] as const)("analyze %s prints a document that is as its schema says, and words or a picture without --json", async (analysis, schema) => {
  const json = await run("analyze", analysis, "--record", firstBoot.file, "--json");
  expect(json).toMatchObject({ status: 0, stderr: "" });
  expect(schema.safeParse(JSON.parse(json.stdout)).error).toBeUndefined();
  const { status, stdout } = await run("analyze", analysis, "--record", firstBoot.file);
  expect(status).toBe(0);
  if (analysis === "plot" || analysis === "report") expect(elementsOf(stdout, ["meta"])).toContain("svg");
  else expect(stdout).toContain("boot f2fba2d2 of 2026-11-20 17:11:31 UTC");
});

test("analyze without a word is analyze time, and a trace is JSON by nature", async () => {
  expect(await run("analyze", "--record", firstBoot.file)).toEqual(await run("analyze", "time", "--record", firstBoot.file));
  const trace = JSON.parse((await run("analyze", "trace", "--record", firstBoot.file)).stdout) as { traceEvents: unknown[] };
  expect(trace.traceEvents.length).toBeGreaterThan(100);
});

test("diff takes files too", async () => {
  const { stdout } = await run("analyze", "diff", firstBoot.file, noOpBoot.file, "--json");
  expect(documents.DiffDocument.safeParse(JSON.parse(stdout)).error).toBeUndefined();
});

test.each([
  ["a file that is not there", ["analyze", "time", "--record", "/nowhere/record.jsonl"], 8],
  ["an empty record", ["analyze", "time", "--record", "/dev/null"], 8],
  ["a damaged record", ["analyze", "plot", "--record", import.meta.filename], 7],
  ["a unit that the boot did not have", ["why", "store-kye", "--record", firstBoot.file], 4],
  ["a number of boots that is out of range", ["analyze", "diff", "1001"], 2],
  ["a mistake in a word", ["why"], 2],
] as const)("%s has its exit code", async (_, args, status) => {
  expect(await run(...args)).toMatchObject({ status, stderr: expect.stringContaining("guestos-boot: ") as string });
});

test("why suggests the unit that was meant", async () => {
  expect((await run("why", "store-kye", "--record", firstBoot.file)).stderr).toContain("did you mean store-key?");
});
