import { seconds } from "./duration.ts";
import { type Edge, type GraphLayout, graphLayout, type Place } from "./graph-layout.ts";
import { arrowHeads, element, fitted, picture, text, textWidth, tooltip } from "./svg.ts";

/** A unit as the graph draws it. */
export interface GraphUnit {
  readonly name: string;
  readonly title: string;
  readonly stage: "early" | "late";
  readonly requires: readonly string[];
  /** Order only. */
  readonly after: readonly string[];
  /** Its result in a boot; absent in a graph of a planned run. */
  readonly ran?: { readonly outcome: string; readonly seconds: number; readonly critical: boolean };
}

export interface GraphOptions {
  readonly title: string;
  readonly style?: boolean;
}

const MARGIN = 20;
const BOX_HEIGHT = 34;
const ROW = 50;
const GAP = 20;

/** A picture of the chain as SVG, from left to right. @param units in an order in which requirements come first */
export function graphSvg(units: readonly GraphUnit[], { title, style = true }: GraphOptions): string {
  const layout = graphLayout(units.map(({ name, requires, after }) => ({ name, before: [...requires, ...after] })));
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const columns = columnsOf(units, layout);
  const width = Math.max(columns.width + 2 * MARGIN, textWidth(title, 15) + 2 * MARGIN, 560);
  const top = MARGIN + 40;
  const height = top + layout.rows * ROW + 40;
  const y = (row: number): number => top + row * ROW + ROW / 2;
  const critical = (edge: Edge): boolean => [edge.from, edge.to].every((name) => byName.get(name)?.ran?.critical === true);
  const edges = layout.edges.toSorted((one, other) => Number(critical(one)) - Number(critical(other)));
  const size = { width: Math.ceil(width), height: Math.ceil(height) };
  return picture({ ...size, title, style, definitions: arrowHeads("gg", 9) }, [
    text(MARGIN, MARGIN + 14, title, { class: "strong", style: "font-size:15px" }),
    ...edges.map((edge) => {
      const orderOnly = byName.get(edge.to)?.requires.includes(edge.from) !== true;
      const name = critical(edge) ? "critical" : "arrow";
      return element("path", {
        class: name,
        d: curve(edge, layout.places, columns, y),
        "stroke-dasharray": orderOnly ? "4 3" : undefined,
        "marker-end": `url(#gg-${name}-head)`,
      });
    }),
    ...units.map((unit) => box(unit, layout.places.get(unit.name) ?? { column: 0, row: 0 }, columns, y)),
    text(
      MARGIN,
      height - 16,
      "Arrows start at what comes first; dashed ones mean order only. Round corners: waits for the system bus. Arrows that follow from others are left out.",
      { class: "soft", style: "font-size:11px" },
    ),
  ]);
}

/** Where each column is, and how wide its boxes are. */
interface Columns {
  readonly x: (column: number) => number;
  readonly boxWidth: (column: number) => number;
  /** Of all of them. */
  readonly width: number;
}

/** Each column is as wide as its own names need, so that one long name does not widen the others. */
function columnsOf(units: readonly GraphUnit[], { places, columns }: GraphLayout): Columns {
  const hasRun = units.some(({ ran }) => ran !== undefined);
  const widths = Array.from({ length: columns }, (_, column) => {
    // `textWidth` counts with the mean letter. A name on the critical chain is bold.
    const names = units
      .filter(({ name }) => places.get(name)?.column === column)
      .map(({ name, ran }) => textWidth(name) * (ran?.critical === true ? 1.18 : 1.08));
    return Math.min(230, Math.max(hasRun ? 96 : 60, ...names)) + 14;
  });
  const before = (column: number): number => widths.slice(0, column).reduce((sum, width) => sum + width + GAP, 0);
  return { x: (column) => MARGIN + before(column), boxWidth: (column) => widths[column] ?? 0, width: before(columns) - GAP };
}

/** From the right side of one box to the left side of the other, level where it passes another column. */
function curve({ from, to, via }: Edge, places: ReadonlyMap<string, Place>, { x, boxWidth }: Columns, y: (row: number) => number): string {
  const start = places.get(from) ?? { column: 0, row: 0 };
  const end = places.get(to) ?? { column: 0, row: 0 };
  let at: readonly [number, number] = [x(start.column) + boxWidth(start.column), y(start.row)];
  let path = `M${point(at)}`;
  for (const stop of [...via, end]) {
    const next = [x(stop.column), y(stop.row)] as const;
    const bend = GAP / 2;
    path += ` C${point([at[0] + bend, at[1]])} ${point([next[0] - bend, next[1]])} ${point(next)}`;
    at = next;
    if (stop !== end) {
      at = [next[0] + boxWidth(stop.column), next[1]];
      path += ` L${point(at)}`;
    }
  }
  return path;
}

function point([x, y]: readonly [number, number]): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

function box(unit: GraphUnit, { column, row }: Place, columns: Columns, y: (row: number) => number): string {
  const left = columns.x(column);
  const width = columns.boxWidth(column);
  const top = y(row) - BOX_HEIGHT / 2;
  const { ran } = unit;
  const shape = { x: left, y: top, width, height: BOX_HEIGHT, rx: unit.stage === "late" ? 15 : 4 };
  const story = ran === undefined ? [] : [ran.outcome === "skipped" ? "skipped" : `${ran.outcome}, ${seconds(ran.seconds)}`];
  return element(
    "g",
    {},
    [
      tooltip([unit.title, unit.stage, ...story].join("\n")),
      element("rect", { ...shape, class: "paper" }),
      ran === undefined || ran.outcome === "skipped" ? "" : element("rect", { ...shape, class: `${ran.outcome} pale` }),
      element("rect", {
        ...shape,
        class: ran?.critical === true ? "critical" : "frame",
        "stroke-dasharray": ran?.outcome === "skipped" ? "4 3" : undefined,
      }),
      text(left + width / 2, y(row) + (ran === undefined ? 4 : -2), fitted(unit.name, width - 12), {
        "text-anchor": "middle",
        class: ran?.critical === true ? "strong" : undefined,
      }),
      ...story.map((line) => text(left + width / 2, y(row) + 12, line, { "text-anchor": "middle", style: "font-size:10.5px" })),
    ].join(""),
  );
}
