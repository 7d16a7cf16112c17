import { noteText, problemText, runOf, wrap } from "../boot/show/run-text.ts";
import type { Ending } from "../system/ending.ts";
import { rounded, utc } from "../base/clock.ts";
import { skippedFor } from "../boot/record/run-view.ts";
import { type Boot, bootFacts, bootLine } from "./boot.ts";
import type { WhyDocument } from "./documents.ts";
import { seconds } from "./duration.ts";
import { barLabel, outcomeOf, runName } from "./measures.ts";
import { type Bar, predecessorsOf, type RunBars, type UnitBar } from "./timeline.ts";

type Story = WhyDocument["stories"][number];

/**
 * Explains a unit's behaviour: what it waited for, what it found, what it ran, and how that ended.
 *
 * @returns `undefined` when no run of the boot had such a unit
 */
export function whyDocument(boot: Boot, name: string): WhyDocument | undefined {
  const stories = boot.allRuns.flatMap((run): readonly Story[] => {
    const unit = run.units.find((candidate) => candidate.name === name);
    if (unit !== undefined) return [storyOf(unit, run)];
    const notReached = run.notReached.find((candidate) => candidate.name === name);
    return notReached === undefined ? [] : [notReachedStory(name, run, notReached.prerequisite)];
  });
  return stories.length === 0 ? undefined : { ...bootFacts(boot), unit: name, stories };
}

function storyOf(unit: UnitBar, run: RunBars): Story {
  const { result } = unit;
  return {
    run: runName(run),
    time: run.time,
    prerequisite: unit.prerequisite,
    outcome: outcomeOf(unit),
    start: rounded(unit.start),
    seconds: rounded(unit.end - unit.start),
    waitedFor: predecessorsOf(unit, run)
      .toSorted((one, other) => other.end - one.end)
      .map((before) => ({
        name: before.name,
        how: unit.requires.includes(before.name) ? "requires" : "after",
        outcome: outcomeOf(before),
        end: rounded(before.end),
      })),
    skipped: skippedFor(unit.name, run.units),
    problem: result?.kind === "failed" || result?.kind === "degraded" ? { ...result.problem } : null,
    evidence: unit.inside.flatMap((bar) => evidence(bar, 0)),
    notes: unit.notes.map(({ text }) => text),
    interrupted: interruptedAt(unit.name, run),
  };
}

function interruptedAt(name: string, { interrupted }: RunBars): Story["interrupted"] {
  const step = interrupted?.at.find(({ unit }) => unit === name);
  if (interrupted === undefined || step === undefined) return null;
  return { bootId: interrupted.bootId, run: interrupted.run, time: interrupted.time, action: step.action };
}

function notReachedStory(name: string, run: RunBars, prerequisite: boolean): Story {
  return {
    ...{ run: runName(run), time: run.time, prerequisite, outcome: "not reached", interrupted: interruptedAt(name, run) },
    ...{ start: null, seconds: null, waitedFor: [], skipped: [], problem: null, evidence: [], notes: [] },
  };
}

function evidence(bar: Bar, depth: number): Story["evidence"] {
  return [
    {
      at: rounded(bar.start),
      seconds: rounded(bar.end - bar.start),
      depth,
      text: barLabel(bar.what),
      words: outcomeWords(bar),
    },
    ...bar.inside.flatMap((inner) => evidence(inner, depth + 1)),
  ];
}

function outcomeWords({ what, outcome }: Bar): string[] {
  switch (outcome?.kind) {
    case "planned":
      return outcome.actions.length === 0 ? ["nothing is missing"] : outcome.actions.map((action) => `missing: ${action}`);
    case "conflict":
      return ["a conflict", ...problemText(outcome.problem)];
    case "failed":
      return ["failed", ...problemText(outcome.problem)];
    case "tool": {
      const said = outcome.stderr.trimEnd();
      return [endingText(outcome.ending), ...(said === "" ? [] : said.split("\n").slice(-5))];
    }
    case "done":
      return what.kind === "retry" ? ["then it checked again"] : [];
    case "unit":
      return [];
    case undefined:
      return ["had not ended"];
  }
}

function endingText(ending: Ending): string {
  switch (ending.kind) {
    case "exited":
      return `ended with ${ending.status}`;
    case "signalled":
      return `was killed by ${ending.signal}`;
    case "timed-out":
      return `was stopped after ${ending.after / 1000} s`;
    case "cancelled":
      return "was stopped with its unit";
    case "not-found":
      return "was not found";
    case "not-started":
      return `could not be started: ${ending.reason}`;
  }
}

/** @param title of the unit, where the current chain still has it */
export function whyLines(document: WhyDocument, title: string | undefined): readonly string[] {
  return [
    bootLine(document),
    `${document.unit}${title === undefined ? "" : `: ${title}`}`,
    ...document.stories.flatMap((story) => ["", ...storyLines(document.unit, story)]),
  ];
}

function storyLines(name: string, story: Story): readonly string[] {
  const { outcome, start, seconds: took } = story;
  const heading = `${story.run} at ${utc(story.time)}: ${outcome}`;
  if (start === null || took === null) return [heading, "  the run ended, or was cut off, before the unit started"];
  const release = story.waitedFor[0];
  const bad = story.waitedFor.filter(({ how, outcome: ended }) => how === "requires" && ended !== "changed" && ended !== "unchanged");
  return [
    outcome === "skipped" ? heading : `${heading} in ${seconds(took)}`,
    ...line("asked", story.prerequisite ? "not requested; another unit of the run requires it" : "part of the run"),
    ...(story.interrupted === null ? [] : line("before", cutText(story.interrupted))),
    ...(release === undefined
      ? line("start", `at ${start.toFixed(2)} s; it waits for no other unit`)
      : line("start", `at ${start.toFixed(2)} s, released by ${release.name}, which ended at ${release.end.toFixed(2)} s`)),
    ...story.waitedFor
      .slice(1)
      .flatMap((before) => line("", `${before.how} ${before.name}, ${before.outcome} at ${before.end.toFixed(2)} s`)),
    ...(outcome === "skipped"
      ? line("why", bad.length === 0 ? "the run was stopped before it" : bad.map((one) => `${one.name}: ${one.outcome}`).join(", "))
      : []),
    ...(story.problem === null ? [] : problemText(story.problem).flatMap((text, index) => line(index === 0 ? "why" : "", text))),
    ...story.evidence.flatMap(({ at, seconds: spent, depth, text, words }, index) => [
      ...line(index === 0 ? "did" : "", `${"  ".repeat(depth)}${at.toFixed(2)} s  ${noteText(text)} (${spent.toFixed(2)} s)`),
      ...words.flatMap((word) => line("", `${"  ".repeat(depth)}         ${noteText(word)}`)),
    ]),
    ...story.notes.flatMap((note) => line("note", noteText(note))),
    ...(story.skipped.length === 0 ? [] : line("cost", `skipped because of it: ${story.skipped.join(", ")}`)),
    ...(outcome === "failed" || outcome === "degraded" ? line("next", `once repaired: guestos-boot --unit ${name}`) : []),
  ];
}

function cutText({ bootId, run, time, action }: NonNullable<Story["interrupted"]>): string {
  return `${runOf(run, `boot ${bootId.slice(0, 8)}`)}, started ${utc(time)}, was cut off at: ${noteText(action)}`;
}

function line(label: string, content: string): readonly string[] {
  const indent = /^ */.exec(content)?.[0] ?? "";
  return wrap(content.trimStart(), `  ${label.padEnd(6)} ${indent}`, `         ${indent}  `);
}
