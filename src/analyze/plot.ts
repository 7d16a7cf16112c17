import { type Axis, axisOver, tickText } from "./axis.ts";
import { seconds } from "./duration.ts";
import { barLabel, criticalNames, outcomeOf } from "./measures.ts";
import type { Phase } from "./phases.ts";
import { legend } from "./plot-legend.ts";
import { unitTooltip } from "./plot-tooltip.ts";
import { arrowHeads, element, fitted, picture, text, textWidth, tooltip } from "./svg.ts";
import { type Bar, releasedBy, type RunBars, type UnitBar } from "./timeline.ts";

export interface PlotOptions {
  /** In one line above the picture. */
  readonly title: string;
  readonly runs: readonly RunBars[];
  /** For the strip of the whole boot; empty without clocks. */
  readonly phases: readonly Phase[];
  /** Absolute width, in pixels. */
  readonly width?: number;
  /** False where the surrounding page has the style already. */
  readonly style?: boolean;
}

const MARGIN = 16;
/** Space to the right of the last bar for its label. */
const WORDS = 120;

/** A picture of a boot as SVG: units as bars, their parts, what released each, and the critical chain. */
export function plot({ title, runs, phases, width = 1280, style = true }: PlotOptions): string {
  const count = runs.reduce((sum, run) => sum + run.units.length, 0);
  const row = count > 60 ? 18 : 24;
  const names = runs.flatMap((run) => run.units.map(({ name }) => name));
  const nameWidth = Math.min(240, Math.max(80, ...names.map((name) => 1.08 * textWidth(name)))) + 16;
  const left = MARGIN + nameWidth;
  const right = width - MARGIN;
  const axis = axisOver(runs, left, right - WORDS - left);
  const layers = new Layers();
  let y = MARGIN + 14;
  layers.top.push(text(MARGIN, y, fitted(title, width - 2 * MARGIN, 15), { class: "strong", style: "font-size:15px" }));
  y += 18;
  if (phases.length > 1) y = strip(layers, phases, { left: MARGIN, right, y });
  const top = y + 18;
  y = top + 8;
  for (const run of runs) y = runRows(layers, run, { axis, y, row, left, right, nameWidth });
  timeScale(layers, axis, top, y);
  y += 24;
  y = legend(layers.top, y + 10, MARGIN, right);
  const height = Math.ceil(y + MARGIN);
  const definitions = WAIT_PATTERN + arrowHeads("gb", 8);
  return picture({ width, height, title, style, definitions }, [...layers.back, ...layers.arrows, ...layers.bars, ...layers.top]);
}

/** The drawing layers, from back to front. */
class Layers {
  readonly back: string[] = [];
  readonly arrows: string[] = [];
  readonly bars: string[] = [];
  readonly top: string[] = [];
}

const WAIT_PATTERN = element(
  "pattern",
  { id: "gb-wait", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  element("rect", { class: "wait-paper", width: 7, height: 7 }) + element("line", { class: "wait-line", x1: 0, y1: 0, x2: 0, y2: 7 }),
);

/** The whole boot in one bar, from power-on to "startup finished". */
function strip(layers: Layers, phases: readonly Phase[], { left, right, y }: { left: number; right: number; y: number }): number {
  const start = phases[0]?.start ?? 0;
  const total = (phases.at(-1)?.end ?? start) - start;
  const scale = (right - left) / Math.max(total, 1e-6);
  for (const { kind, label, start: from, end } of phases) {
    const x = left + (from - start) * scale;
    const width = Math.max(0.5, (end - from) * scale);
    const words = `${label} ${seconds(end - from)}`;
    const choices = [words, `${kind} ${seconds(end - from)}`, kind, seconds(end - from)];
    const shown = choices.find((choice) => textWidth(choice, 11) < width - 8) ?? "";
    layers.back.push(
      element(
        "g",
        {},
        [
          tooltip(words),
          element("rect", { class: PHASE_CLASS[kind], x, y, width, height: 20, stroke: "var(--paper)", "stroke-width": 1 }),
          text(x + 5, y + 14, shown, { style: "font-size:11px" }),
        ].join(""),
      ),
    );
  }
  return y + 26;
}

const PHASE_CLASS = {
  firmware: "plain pale",
  loader: "plain pale",
  kernel: "degraded pale",
  initrd: "degraded pale",
  system: "stripe",
  lock: "hatched",
  program: "unchanged pale",
  chain: "changed pale",
} as const;

interface Place {
  readonly axis: Axis;
  readonly y: number;
  readonly row: number;
  readonly left: number;
  readonly right: number;
  readonly nameWidth: number;
}

/** The rows of a run, below its heading. @returns the y at which the next run may begin */
function runRows(layers: Layers, run: RunBars, place: Place): number {
  const { axis, row, left, right, nameWidth } = place;
  let { y } = place;
  const heading = `${run.facts.stage ?? "run"}: ${run.outcome ?? "unfinished"}, ${run.units.length} units in ${seconds(run.end - run.start)}`;
  layers.back.push(element("line", { class: "frame", x1: MARGIN, x2: right, y1: y, y2: y }));
  layers.top.push(text(MARGIN, y + 15, fitted(heading, right - MARGIN), { class: "strong halo" }));
  y += 22;
  const critical = criticalNames(run);
  const middles = new Map(run.units.map(({ name }, index) => [name, y + index * row + row / 2]));
  for (const [index, unit] of run.units.entries()) {
    const middle = y + row / 2;
    if (index % 2 === 0) layers.back.push(element("rect", { class: "stripe", x: MARGIN, y, width: right - MARGIN, height: row }));
    const emphasis = critical.has(unit.name) ? "strong" : undefined;
    layers.top.push(text(left - 10, middle + 4, fitted(unit.name, nameWidth - 10), { "text-anchor": "end", class: emphasis }));
    layers.bars.push(unitBar(unit, run, { axis, middle, row }, critical.has(unit.name)));
    layers.top.push(words(unit, { axis, middle, left, right }));
    const release = releasedBy(unit, run);
    const from = release === undefined ? undefined : middles.get(release.name);
    if (release !== undefined && from !== undefined) {
      const isCritical = critical.has(unit.name) && critical.has(release.name);
      const ends = { from: { x: axis.x(release.end), y: from }, to: { x: axis.x(unit.start), y: middle } };
      (isCritical ? layers.bars : layers.arrows).push(arrow(ends, row, isCritical ? "critical" : "arrow"));
    }
    y += row;
  }
  return y + 8;
}

/** The position of a unit's row. */
interface RowPlace {
  readonly axis: Axis;
  readonly middle: number;
  readonly row: number;
}

function unitBar(unit: UnitBar, run: RunBars, { axis, middle, row }: RowPlace, critical: boolean): string {
  const x = axis.x(unit.start);
  const height = row - 8;
  const top = middle - height / 2;
  const width = Math.max(2, axis.x(unit.end) - x);
  const outcome = outcomeOf(unit);
  if (outcome === "skipped")
    return element(
      "g",
      {},
      tooltip(unitTooltip(unit, run)) + element("rect", { class: "skipped", x, y: top, width: Math.max(6, width), height, rx: 2 }),
    );
  const piece = (bar: Bar): string => {
    const from = axis.x(bar.start);
    const rect = { x: from, y: top, width: Math.max(0.75, axis.x(bar.end) - from), height };
    if (bar.what.kind === "retry") {
      return element("rect", { ...rect, fill: "url(#gb-wait)" }) + element("rect", { ...rect, class: "wait-edge" });
    }
    return bar.what.kind === "action" ? element("rect", { ...rect, class: outcome }) : "";
  };
  const tools = toolsIn(unit.inside).map((bar) => {
    const from = axis.x(bar.start);
    const strip = { class: "tool", x: from, y: top + height - 4, width: Math.max(0.75, axis.x(bar.end) - from), height: 4 };
    return element("g", {}, tooltip(`${barLabel(bar.what)}: ${seconds(bar.end - bar.start)}`) + element("rect", strip));
  });
  return element(
    "g",
    {},
    [
      tooltip(unitTooltip(unit, run)),
      element("rect", { class: `${outcome} pale`, x, y: top, width, height, rx: 2 }),
      ...unit.inside.map(piece),
      ...tools,
      critical ? element("rect", { class: "critical", x: x - 1, y: top - 1, width: width + 2, height: height + 2, rx: 3 }) : "",
    ].join(""),
  );
}

/** The label to the right of a bar: duration and outcome; the outcome "unchanged" is left out. So no outcome is told by colour alone. */
function words(unit: UnitBar, { axis, middle, left, right }: Pick<Place, "axis" | "left" | "right"> & Pick<RowPlace, "middle">): string {
  const outcome = outcomeOf(unit);
  const suffix = outcome === "unchanged" ? "" : ` ${outcome}`;
  const content = outcome === "skipped" ? "skipped" : `${seconds(unit.end - unit.start)}${suffix}`;
  const end = axis.x(unit.end) + (outcome === "skipped" ? 8 : 0);
  const isNotable = outcome !== "unchanged" && outcome !== "changed";
  const attributes = { class: isNotable ? "strong halo" : "soft halo", style: "font-size:11px" };
  if (end + 8 + textWidth(content, 11) <= right) return text(end + 8, middle + 4, content, attributes);
  const start = axis.x(unit.start);
  return start - 8 - textWidth(content, 11) < left ? "" : text(start - 8, middle + 4, content, { ...attributes, "text-anchor": "end" });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** From the end of the unit that released another to that unit's start. Of all predecessors, only this one decided. */
function arrow({ from, to }: { readonly from: Point; readonly to: Point }, row: number, name: "critical" | "arrow"): string {
  const below = from.y < to.y ? 1 : -1;
  const point = (x: number, y: number): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  // Down at the moment of the release, then into the bar from above.
  const start = point(from.x, from.y + (below * (row - 8)) / 2);
  const corner = point(from.x, to.y - below * (row / 2));
  const end = point(Math.max(from.x, to.x), to.y - below * (row / 2 - 3));
  return element("path", { class: name, d: `M${start} L${corner} L${end}`, "marker-end": `url(#gb-${name}-head)` });
}

function toolsIn(bars: readonly Bar[]): readonly Bar[] {
  return bars.flatMap((bar) => (bar.what.kind === "tool" ? [bar] : toolsIn(bar.inside)));
}

function timeScale(layers: Layers, axis: Axis, top: number, bottom: number): void {
  for (const { seconds: moment, x } of axis.ticks) {
    layers.back.push(element("line", { class: "grid", x1: x, x2: x, y1: top - 2, y2: bottom + 4 }));
    for (const y of [top - 6, bottom + 16])
      layers.top.push(text(x, y, tickText(moment), { class: "soft", "text-anchor": "middle", style: "font-size:11px" }));
  }
  for (const { from, to, seconds: cut } of axis.cuts) {
    layers.back.push(
      element("rect", { x: from, y: top, width: to - from, height: bottom - top, fill: "var(--grid)", "fill-opacity": 0.5 }),
    );
    layers.top.push(
      text((from + to) / 2, top + 22, `⋯ ${seconds(cut)}`, { class: "soft halo", "text-anchor": "middle", style: "font-size:10px" }),
    );
  }
}
