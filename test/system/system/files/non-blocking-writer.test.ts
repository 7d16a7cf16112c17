import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { NonBlockingWriter } from "../../../../src/system/files/non-blocking-writer.ts";
import { openSystemConsole } from "../../../../src/system/files/system-console.ts";

const folder = mkdtempSync(join(tmpdir(), "non-blocking-writer-"));
const open: number[] = [];

/** A pipe whose reader takes nothing until it is asked: what a console does that was told to stop. */
function pipe(): { readonly reader: number; readonly writer: number } {
  const path = join(folder, `pipe-${open.length}`);
  spawnSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  open.push(reader, writer);
  return { reader, writer };
}

function readAll(descriptor: number): string {
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    return buffer.toString("latin1", 0, readSync(descriptor, buffer));
  } catch {
    return "";
  }
}

afterEach(() => {
  for (const descriptor of open.splice(0)) {
    try {
      closeSync(descriptor);
    } catch {
      // The test has closed it.
    }
  }
  rmSync(folder, { recursive: true, force: true });
  spawnSync("mkdir", ["-p", folder]);
});

test("what a full pipe does not take is written later, whole and in order", async () => {
  const { reader, writer } = pipe();
  const patient = new NonBlockingWriter(writer, (error) => expect.fail(error.message));
  const pieces = Array.from({ length: 300 }, (_, index) => String(index).padStart(1000, "."));
  for (const piece of pieces) patient.write(Buffer.from(piece));
  let text = "";
  const flushed = patient.flush(20_000);
  const timer = setInterval(() => (text += readAll(reader)), 10);
  await flushed;
  clearInterval(timer);
  text += readAll(reader);
  expect(text).toBe(pieces.join(""));
  expect(patient.lost).toBe(0);
});

test("a reader that never reads costs a bounded time and a bounded memory, and what was lost is counted", async () => {
  const { writer } = pipe();
  const patient = new NonBlockingWriter(writer, (error) => expect.fail(error.message));
  for (let index = 0; index < 5000; index++) patient.write(Buffer.alloc(1000));
  expect(patient.lost).toBeGreaterThan(3000);
  const begin = performance.now();
  await patient.flush(200);
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(patient.lost).toBeGreaterThan(4900);
});

test("a reader that went away is told of once, and nothing is thrown", () => {
  const { reader, writer } = pipe();
  closeSync(reader);
  const errors: string[] = [];
  const patient = new NonBlockingWriter(writer, (error) => errors.push(error.message));
  patient.write(Buffer.from("one"));
  patient.write(Buffer.from("two"));
  expect(errors).toEqual([expect.stringContaining("EPIPE") as string]);
  expect(patient.lost).toBe(2);
});

test("lines on the console have the form in which the journal would forward them", async () => {
  const { reader } = pipe();
  const lines = openSystemConsole(join(folder, "pipe-0"), "guestos-boot", () => 12.5);
  lines?.print("var changed");
  await lines?.flush(1000);
  expect(readAll(reader)).toBe(`[   12.500000] guestos-boot[${process.pid}]: var changed\n`);
});

test("a machine without a console is no error", () => {
  expect(openSystemConsole(join(folder, "none"), "guestos-boot", () => 0)).toBeUndefined();
});
