import fc from "fast-check";
import { expect, test } from "vitest";
import { consoleSink } from "../../../../src/boot/show/console.ts";
import { asciiText, speaksUtf8 } from "../../../../src/boot/show/failure-box.ts";
import { EventScript } from "../../../support/record-events.ts";

function box(script: EventScript, ascii = false): readonly string[] {
  const lines: string[] = [];
  const sink = consoleSink({ print: (line) => lines.push(line), now: () => 0, ascii });
  for (const event of script.events) sink(event);
  const first = lines.findIndex((line) => line.startsWith("+--"));
  return lines.slice(first, lines.lastIndexOf(lines[first] ?? "") + 1);
}

function failedBoot(words = "no such device"): EventScript {
  const script = new EventScript([{ name: "network" }], { stage: "boot" });
  const unit = script.unit(0, "network");
  for (const at of [1, 3, 7]) {
    const retry = script.start(at, { kind: "retry", problem: { code: "test-problem", what: "not there" } }, unit);
    script.end(at + 1, retry, { kind: "done" });
  }
  const action = script.start(8, { kind: "action", description: "apply it → eth0", effect: "activate" }, unit);
  script.start(8, { kind: "tool", argv: ["networkctl", "reload"] }, action);
  script.ended(9, "network", { kind: "failed", problem: { code: "test-problem", what: words, found: words, todo: words } });
  return script.finish(9, "failed");
}

test("the box says what was tried: the last action, its tool, how often and for how long", () => {
  expect(box(failedBoot()).join("\n")).toContain("|   tried    apply it → eth0 (networkctl); 4 times in 6.0 s ");
});

test("after a boot nothing more comes, and the box says so", () => {
  expect(box(failedBoot()).join("\n")).toContain("Nothing is retried automatically");
});

test("where UTF-8 is not understood, the box is ASCII throughout", () => {
  const lines = box(failedBoot("größer — “x” 日本"), true);
  expect(lines.join("")).toMatch(/^[\u0020-\u007e]*$/);
  expect(lines.join("\n")).toContain('gr??er - "x" ??');
});

test("whatever the words: each line fits on a console, or is one long word that could be copied", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z/.]{1,100}$/), { minLength: 1, maxLength: 30 }), (words) => {
      for (const line of box(failedBoot(words.join(" ")))) {
        expect(line.length <= 79 || line.trim().split(/\s+/).length <= 4, line).toBe(true);
        expect(line).toMatch(/^[|+]/);
      }
    }),
  );
});

test.each([
  [{ LANG: "C.UTF-8" }, true],
  [{ LANG: "en_US.utf8", LC_ALL: "" }, true],
  [{ LANG: "C.UTF-8", LC_ALL: "C" }, false],
  [{ LC_CTYPE: "POSIX", LANG: "de_DE.UTF-8" }, false],
  [{}, false],
])("of the environment %j, UTF-8 is understood: %s", (env, expected) => {
  expect(speaksUtf8(env)).toBe(expected);
});

test("letters without a near one in ASCII become question marks", () => {
  expect(asciiText("a…b→c😀")).toBe("a...b->c?");
});
