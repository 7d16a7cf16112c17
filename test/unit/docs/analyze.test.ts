import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { blameLines, criticalChainLines, diffLines, timeLines } from "../../../src/analyze/analysis-text.ts";
import { bootTitle } from "../../../src/analyze/boot.ts";
import { diffDocument } from "../../../src/analyze/diff.ts";
import { blameDocument, criticalChainDocument, timeDocument } from "../../../src/analyze/measures.ts";
import { plot } from "../../../src/analyze/plot.ts";
import { whyDocument, whyLines } from "../../../src/analyze/why.ts";
import { consoleSink } from "../../../src/boot/show/console.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootFrom, firstBoot, noOpBoot, quietBoot } from "../../support/recorded-boots.ts";

const text = readFileSync("docs/analyze.md", "utf8");
const blocks = [...text.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block = ""]) => block.trimEnd().split("\n"));

test("what the document shows is what the recorded boot prints", () => {
  const boot = bootFrom(firstBoot);
  const outputs: Readonly<Record<string, readonly string[]>> = {
    "# guestos-boot analyze time": timeLines(timeDocument(boot)),
    "# guestos-boot analyze blame": blameLines(blameDocument(boot)),
    "# guestos-boot analyze critical-chain": criticalChainLines(criticalChainDocument(boot)),
    "# guestos-boot analyze diff 1 0": diffLines(diffDocument(boot, bootFrom(noOpBoot))),
    "# guestos-boot why hostname": whyLines(whyDocument(boot, "hostname") ?? expect.unreachable(), "Set the host name"),
  };
  for (const [command, lines] of Object.entries(outputs)) {
    const [, ...shown] = blocks.find(([first]) => first === command) ?? expect.unreachable(command);
    let at = 0;
    for (const line of shown.filter((candidate) => candidate !== "…")) {
      const found = lines.indexOf(line, at);
      expect(found, line).toBeGreaterThanOrEqual(at);
      at = found + 1;
    }
  }
});

test("the picture in the README is the one that is drawn of the recorded boot", async () => {
  const boot = bootFrom(quietBoot);
  // After a change of what is drawn: vitest --update.
  await expect(plot({ title: `guestos-boot: ${bootTitle(boot)}`, runs: boot.runs, phases: boot.phases })).toMatchFileSnapshot(
    "../../../docs/boot.svg",
  );
});

test("the box is the one that the console shows", () => {
  const script = new EventScript(
    [{ name: "store-key" }, { name: "var", requires: ["store-key"] }, { name: "volumes", requires: ["store-key"] }],
    { stage: "early" },
  );
  const unit = script.unit(1, "store-key");
  const action = script.start(1, { kind: "action", description: "open /dev/vda10 (store) as vda10-crypt", effect: "activate" }, unit);
  script.start(1, { kind: "tool", argv: ["cryptsetup", "open"] }, action);
  const problem = {
    code: "key-does-not-open",
    what: "the key does not open /dev/vda10",
    found: "No key available with this passphrase.",
    todo: "restore the key file that belongs to this disk",
  };
  script.ended(2, "store-key", { kind: "failed", problem });
  script.ended(2, "var", { kind: "skipped", because: ["store-key"] });
  script.ended(2, "volumes", { kind: "skipped", because: ["store-key"] });
  const lines: string[] = [];
  const sink = consoleSink({ print: (line) => lines.push(line), now: () => 2, ascii: true });
  for (const event of script.finish(2, "failed").events) sink(event);
  const shown = blocks.find(([first]) => first?.startsWith("+--") === true) ?? expect.unreachable();
  expect(lines.slice(3, -1)).toEqual(shown);
});
