import { describe, expect, test } from "vitest";
import { blameLines, criticalChainLines, diffLines, timeLines } from "../../../src/analyze/analysis-text.ts";
import { diffDocument } from "../../../src/analyze/diff.ts";
import {
  BlameDocument,
  CriticalChainDocument,
  DiffDocument,
  TimeDocument,
  TimelineDocument,
  WhyDocument,
} from "../../../src/analyze/documents.ts";
import { blameDocument, criticalChainDocument, timeDocument, timelineDocument } from "../../../src/analyze/measures.ts";
import { partsOf } from "../../../src/analyze/parts.ts";
import { whyDocument, whyLines } from "../../../src/analyze/why.ts";
import { bootFrom, bootOfEvents, firstBoot, noOpBoot, quietBoot, recordOf } from "../../support/recorded-boots.ts";

function sum(list: readonly { readonly seconds: number }[]): number {
  return list.reduce((total, { seconds }) => total + seconds, 0);
}

describe.each([
  ["a first boot", firstBoot],
  ["a first boot in one process", quietBoot],
  ["a boot with nothing to do", noOpBoot],
] as const)("of %s that was recorded", (_, recorded) => {
  const boot = bootFrom(recorded);

  test("the phases add up to the wall time that systemd-analyze gave, within 1 %", () => {
    const document = timeDocument(boot);
    expect(Math.abs(sum(document.phases) - recorded.wallTime)).toBeLessThan(recorded.wallTime / 100);
    expect(sum(document.phases)).toBeCloseTo(document.seconds, 3);
  });

  test("the critical chain has no gaps, and adds up to the wall time within 1 %", () => {
    const { links } = criticalChainDocument(boot);
    expect(Math.abs(sum(links) - recorded.wallTime)).toBeLessThan(recorded.wallTime / 100);
    for (const [index, link] of links.entries()) {
      const before = links[index - 1];
      if (before !== undefined) expect(link.start).toBeCloseTo(before.start + before.seconds, 4);
    }
  });

  test("the parts of each unit add up to its time", () => {
    for (const unit of boot.runs.flatMap(({ units }) => units)) {
      const parts = partsOf(unit);
      expect(parts.reduce((total, { start, end }) => total + end - start, 0)).toBeCloseTo(unit.end - unit.start, 6);
    }
    for (const { seconds, parts, unit } of criticalChainDocument(boot).links)
      if (unit !== undefined) expect(sum(parts)).toBeCloseTo(seconds, 4);
  });

  test("no unit could have gained more than it took, and the last on the critical chain gains something", () => {
    const { units } = blameDocument(boot);
    for (const { gain, seconds } of units) expect(gain).toBeLessThanOrEqual(seconds + 1e-6);
    expect(units.filter(({ critical, gain }) => critical && gain > 0).length).toBeGreaterThan(0);
    expect(units.filter(({ critical, gain }) => !critical && gain > 1e-3)).toEqual([]);
  });

  test("every document is what its schema says, also after JSON", () => {
    const through = (document: unknown): unknown => JSON.parse(JSON.stringify(document));
    expect(TimeDocument.safeParse(through(timeDocument(boot))).error).toBeUndefined();
    expect(BlameDocument.safeParse(through(blameDocument(boot))).error).toBeUndefined();
    expect(CriticalChainDocument.safeParse(through(criticalChainDocument(boot))).error).toBeUndefined();
    expect(TimelineDocument.safeParse(through(timelineDocument(boot))).error).toBeUndefined();
    expect(DiffDocument.safeParse(through(diffDocument(boot, bootFrom(noOpBoot)))).error).toBeUndefined();
    for (const { name } of boot.runs.flatMap(({ units }) => units)) {
      expect(WhyDocument.safeParse(through(whyDocument(boot, name))).error).toBeUndefined();
    }
  });

  test("no line is longer than 80 columns, but for one word that is", () => {
    const whys = boot.runs
      .flatMap(({ units }) => units)
      .flatMap(({ name }) => {
        const document = whyDocument(boot, name);
        return document === undefined ? [] : whyLines(document, "what it is for");
      });
    const lines = [
      ...timeLines(timeDocument(boot)),
      ...blameLines(blameDocument(boot)),
      ...criticalChainLines(criticalChainDocument(boot)),
      ...diffLines(diffDocument(boot, bootFrom(noOpBoot))),
      ...whys,
    ];
    expect(lines.filter((line) => [...line].length > 80 && line.trim().includes(" "))).toEqual([]);
  });
});

test("the first boot's critical chain goes through the disk, as it was seen to", () => {
  const { links } = criticalChainDocument(bootFrom(firstBoot));
  expect(links.flatMap(({ phase, unit }) => (unit === undefined || phase !== "chain, early" ? [] : [unit]))).toEqual([
    "mount-boot",
    "store-key",
    "volumes",
    "volume-filesystems",
    "volume-mounts",
    "injected-data",
    "upgrade-data-store",
  ]);
  expect(links.find(({ unit }) => unit === "volumes")).toMatchObject({ gain: expect.closeTo(17.18, 1) });
});

test("without clocks the boot is what the record has, and says so", () => {
  const boot = bootOfEvents(recordOf(firstBoot).events);
  expect(timeDocument(boot)).toMatchObject({
    clocks: "record only",
    phases: [{ label: "chain, early" }, { label: "user space between the stages" }, { label: "chain, late" }],
  });
  expect(timeLines(timeDocument(boot)).at(-1)).toContain("not known");
});

test("the first boot and the next differ in what was provisioned", () => {
  const { units } = diffDocument(bootFrom(firstBoot), bootFrom(noOpBoot));
  expect(units.find(({ name }) => name === "volumes")).toMatchObject({
    from: { outcome: "changed" },
    to: { outcome: "unchanged" },
    parts: expect.arrayContaining([{ kind: "tool", label: "lvcreate", from: expect.any(Number), to: 0 }]),
  });
  const boot = bootFrom(firstBoot);
  expect(diffLines(diffDocument(boot, boot)).at(-1)).toBe("No unit differs in time or outcome.");
});
