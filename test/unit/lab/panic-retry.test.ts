import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { withPanicRetry } from "../../../lab/panic-retry.ts";
import { GuestPanicError, KernelPanicError } from "../../../lab/problems.ts";

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "panic-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test("the emulator's panic is tried again, counted, said, and its log kept", async () => {
  const folder = await scratch();
  const log = join(folder, "serial.log");
  await writeFile(log, "Oops: int3");
  const said: string[] = [];
  let tries = 0;
  const attempt = async (): Promise<string> => {
    tries += 1;
    if (tries === 1) throw new GuestPanicError({ code: "test-problem", what: "panicked", where: { file: log, line: 1 } });
    return "booted";
  };
  expect(await withPanicRetry(attempt, (line) => said.push(line), folder)).toBe("booted");
  expect(tries).toBe(2);
  expect(said[0]).toContain("number 1 so far");
  expect(await readFile(join(folder, "guest-panic-1.log"), "utf8")).toBe("Oops: int3");
  expect(await readFile(join(folder, "guest-panics.log"), "utf8")).toContain("panicked");
});

test("nothing else is tried again", async () => {
  const folder = await scratch();
  for (const error of [new KernelPanicError({ code: "test-problem", what: "panicked" }), new Error("product")]) {
    let tries = 0;
    const attempt = async (): Promise<never> => {
      tries += 1;
      throw error;
    };
    await expect(withPanicRetry(attempt, () => {}, folder)).rejects.toBe(error);
    expect(tries).toBe(1);
  }
});

test("three in a row are no chance any more", async () => {
  const folder = await scratch();
  let tries = 0;
  const attempt = async (): Promise<never> => {
    tries += 1;
    throw new GuestPanicError({ code: "test-problem", what: "panicked" });
  };
  await expect(withPanicRetry(attempt, () => {}, folder)).rejects.toThrow(GuestPanicError);
  expect(tries).toBe(3);
});
