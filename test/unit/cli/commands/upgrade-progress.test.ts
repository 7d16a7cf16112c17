import { expect, test } from "vitest";
import { progressDisplay, progressText } from "../../../../src/cli/commands/upgrade-progress.ts";

const MIB = 1024 * 1024;

test("a bar shows share, amount, speed and what is left", () => {
  expect(progressText({ phase: "receive", done: 50 * MIB, total: 200 * MIB }, 10 * MIB, true)).toBe(
    "install    [######------------------]   25 %  50.0 of 200.0 MiB  10.0 MiB/s  0:15 left",
  );
});

test("without a known size there is neither share nor rest", () => {
  expect(progressText({ phase: "receive", done: 50 * MIB, total: undefined }, 10 * MIB, true)).toBe("install    50.0 MiB  10.0 MiB/s");
});

test("a terminal is drawn on at most five times a second, and left clean", () => {
  const drawn: string[] = [];
  let now = 0;
  const terminal = { print: () => undefined, complain: () => undefined, colour: false, redraw: (text: string) => void drawn.push(text) };
  const display = progressDisplay(terminal, () => now);
  for (; now <= 1000; now += 10) display.show({ phase: "receive", done: now * MIB, total: 2000 * MIB });
  display.end();
  expect(drawn).toHaveLength(7);
  expect(drawn[5]).toContain("1000.0 MiB/s");
  expect(drawn.at(-1)).toBe("");
});

test("a log gets a line every ten seconds, and one at the end of each phase", () => {
  const lines: string[] = [];
  let now = 0;
  const terminal = { print: () => undefined, complain: (text: string) => void lines.push(text), colour: false };
  const display = progressDisplay(terminal, () => now);
  for (; now <= 25_000; now += 100) display.show({ phase: "receive", done: now, total: 25_000 });
  for (let done = 0; done <= 4; done += 1) display.show({ phase: "read-back", done, total: 4 });
  display.end();
  expect(lines.map((line) => line.replaceAll(/ +/g, " ").split(" %")[0])).toEqual([
    "install 40",
    "install 80",
    "install 100",
    "read back 100",
  ]);
});
