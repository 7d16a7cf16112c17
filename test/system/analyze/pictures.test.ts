import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Boot } from "../../../src/analyze/boot.ts";
import { graphSvg } from "../../../src/analyze/graph-svg.ts";
import { plot } from "../../../src/analyze/plot.ts";
import { report } from "../../../src/analyze/report.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { ranGraph } from "../../../src/analyze/ran-graph.ts";
import { unitFacts } from "../../../src/run/unit-facts.ts";
import { boundary } from "../../support/chains.ts";
import { guestos } from "../../support/chains.ts";
import { type Browser, browser, pageFaults } from "../../support/browser.ts";
import { largeBoot } from "../../support/large-boot.ts";
import { bootFrom, bootOfEvents, firstBoot, noOpBoot, recordOf } from "../../support/recorded-boots.ts";

const folder = mkdtempSync(join(tmpdir(), "pictures-"));
/** For a person to inspect. */
const shown = "build/pictures";
mkdirSync(shown, { recursive: true });

let chromium: Browser;
beforeAll(async () => {
  chromium = await browser();
});
afterAll(async () => {
  await chromium.stop();
  rmSync(folder, { recursive: true });
});

function reportOf(boot: Boot, events: readonly RecordEvent[]): string {
  return report(boot, { machine: [["kernel", "6.12.41+deb13-amd64"]], graph: ranGraph(unitFacts(guestos), boot), events });
}

const recorded = bootFrom(firstBoot);
const again = bootFrom(noOpBoot);
const script = largeBoot(200);
const large = bootOfEvents(script.events);
const plotOf = ({ runs, phases }: Boot): string => plot({ title: "a boot", runs, phases });

const pictures = {
  "plot.svg": plotOf(recorded),
  "plot-of-an-unchanged-boot.svg": plotOf(again),
  "plot-of-200-units.svg": plotOf(large),
  "chain.svg": graphSvg(unitFacts(guestos), { title: "The chain of guestos" }),
  "chain-of-a-boundary-node.svg": graphSvg(unitFacts(boundary), { title: "The chain of boundary" }),
  "chain-as-it-ran.svg": graphSvg(ranGraph(unitFacts(guestos), recorded), { title: "The chain as it ran" }),
  "report.html": reportOf(recorded, recordOf(firstBoot).events),
  "report-of-200-units.html": reportOf(large, script.events),
};

/** A graph of two hundred units is wider than any screen. */
const SCROLLED = /^<div class="picture"> has to be scrolled/;

async function open(name: keyof typeof pictures): Promise<Page> {
  const file = join(folder, name);
  writeFileSync(file, pictures[name]);
  await chromium.page.goto(pathToFileURL(file).href);
  return chromium.page;
}

test.each(
  Object.keys(pictures).flatMap((name) => (["light", "dark"] as const).map((theme) => [name as keyof typeof pictures, theme] as const)),
)("%s in the %s theme: no text overlaps, is cut off, too faint or too small, and nothing is asked of a network", async (name, theme) => {
  const said: string[] = [];
  const { page } = chromium;
  page.on("console", (message) => said.push(message.text())).on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => said.push(request.url()));
  await page.emulateMedia({ colorScheme: theme });
  await open(name);
  try {
    expect((await pageFaults(page)).filter((fault) => name !== "report-of-200-units.html" || !SCROLLED.test(fault))).toEqual([]);
    if (name.endsWith(".html")) {
      await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
      if (name === "report.html") expect(await pageFaults(page)).toEqual([]);
      await page.screenshot({ path: join(shown, `${name}-${theme}.png`) });
    }
    expect(said).toEqual([pathToFileURL(join(folder, name)).href]);
  } finally {
    page.removeAllListeners();
  }
});

test("what a picture tells the pointer, the report tells the keyboard: each unit opens, and says what it did", async () => {
  const page = await open("report.html");
  await page.keyboard.press("Tab");
  const focused = (): Promise<string> => page.evaluate("document.activeElement.textContent");
  // Scrolled areas can be reached as well, and come before.
  for (let tries = 0; (await focused()) !== "mount-boot" && tries < 5; tries++) await page.keyboard.press("Tab");
  expect(await focused()).toBe("mount-boot");
  const tools = page.locator("details li").first();
  expect(await tools.isVisible()).toBe(false);
  await page.keyboard.press("Enter");
  expect(await tools.isVisible()).toBe(true);
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("upgrade-state");
});

test("what measures would find a fault of each kind", async () => {
  const { page } = chromium;
  await page.goto("about:blank");
  const faultsOf = async (body: string): Promise<string> => {
    await page.setContent(`<body style="margin:0;font:16px sans-serif">${body}</body>`);
    return (await pageFaults(page)).join("\n");
  };
  expect(await faultsOf("<p>well</p>")).toBe("");
  expect(await faultsOf('<p>one</p><p style="margin-top:-2em">two</p>')).toContain('"one" overlaps "two"');
  expect(await faultsOf('<p style="color:#888">soft</p>')).toMatch(/"soft": contrast 3\.5/);
  expect(await faultsOf('<p style="font-size:7px">tiny</p>')).toContain("letters of 7.0 px");
  expect(await faultsOf('<div style="width:20px;overflow:hidden;white-space:nowrap">much too long</div>')).toContain(
    "out of its <div>, right",
  );
  expect(await faultsOf('<div style="width:1400px">wide</div>')).toContain("the page is 1400 px wide");
  const svg = (inside: string): string => `<svg width="200" height="100">${inside}</svg>`;
  expect(await faultsOf(svg('<text x="170" y="50">out</text>'))).toBe("");
  expect(await faultsOf(svg('<text x="190" y="50">out of it</text>'))).toContain("out of its <svg>, right");
  expect(await faultsOf(svg('<g><rect width="20" height="20"/><text x="30" y="50">beside</text></g>'))).toContain("out of its <rect>");
  expect(await faultsOf(svg('<rect width="200" height="100" fill="#000" fill-opacity="0.6"/><text x="9" y="50">dim</text>'))).toContain(
    "contrast",
  );
  expect(await faultsOf(svg('<text x="9" y="50">below</text><rect width="200" height="100" fill="#eee"/>'))).toContain("covered by <rect");
});
