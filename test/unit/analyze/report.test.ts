import { expect, test } from "vitest";
import { report } from "../../../src/analyze/report.ts";
import { ranGraph } from "../../../src/analyze/ran-graph.ts";
import { unitFacts } from "../../../src/run/unit-facts.ts";
import { guestos } from "../../support/chains.ts";
import { elementsOf } from "../../support/markup.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootFrom, bootOfEvents, firstBoot, recordOf } from "../../support/recorded-boots.ts";

const EMPTY = ["meta"];

test("the page holds the timeline, the tables, the graph, the machine and the log, and asks for nothing from elsewhere", () => {
  const boot = bootFrom(firstBoot);
  const { events } = recordOf(firstBoot);
  const html = report(boot, { machine: [["kernel", "6.12"]], graph: ranGraph(unitFacts(guestos), boot), events });
  const names = elementsOf(html, EMPTY);
  expect(names.filter((name) => name === "svg")).toHaveLength(2);
  expect(names).not.toContain("script");
  expect(names).not.toContain("link");
  expect(names).not.toContain("img");
  expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/(src|href)=|url\((?!#)|https?:\/\/(?!\[)/);
  expect(html).toContain("<dt>kernel</dt><dd>6.12</dd>");
  expect(html).toContain(`${events.length} events`);
  for (const { name } of boot.runs.flatMap(({ units }) => units)) expect(html).toContain(`<summary>${name}</summary>`);
});

test("what went wrong comes first, in words, and hostile words stay words", () => {
  const script = new EventScript([{ name: "store" }], { stage: "early", slot: undefined });
  const unit = script.unit(1, "store");
  script.note(1, unit, "<img src=x>");
  script.ended(2, "store", {
    kind: "failed",
    problem: { code: "test-problem", what: "<b>bad</b>", found: "]]>", todo: "repair & run again" },
  });
  const { events } = script.finish(2, "failed");
  const boot = bootOfEvents(events);
  const html = report(boot, { machine: [["<i>", "</dd>"]], graph: ranGraph([], boot), events });
  expect(elementsOf(html, EMPTY)).not.toContain("img");
  expect(html.indexOf("What went wrong")).toBeLessThan(html.indexOf("Timeline"));
  expect(html).toContain("to do    repair &amp; run again");
});
