/** Escapes any text for an attribute or between tags of XML and HTML. */
export function escapeXml(text: string): string {
  return (
    text
      // Characters that XML 1.0 does not allow (section 2.2), among them lone halves of surrogate pairs.
      .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;")
  );
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element. `inside` is markup already; pass text through `escapeXml` first. Attributes are escaped here. */
export function element(name: string, attributes: Attributes, inside = ""): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? shortNumber(value) : escapeXml(value ?? "")}"`)
    .join("");
  return inside === "" ? `<${name}${list}/>` : `<${name}${list}>${inside}</${name}>`;
}

interface Picture {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** False where the surrounding page has the style already. */
  readonly style: boolean;
  /** Markup that the content refers to. */
  readonly definitions: string;
}

/** A whole picture. @param content from back to front */
export function picture({ width, height, title, style, definitions }: Picture, content: readonly string[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    class: "gb",
    ...{ width, height, viewBox: `0 0 ${width} ${height}` },
    // As wide as the page allows, but it scrolls before it becomes too small to read.
    style: `max-width:100%;min-width:${Math.floor(LEAST_SCALE * width)}px;height:auto`,
    role: "img",
    "aria-label": title,
  };
  const paper = element("rect", { class: "paper", x: 0, y: 0, width, height });
  const parts = [style ? element("style", {}, STYLE) : "", element("defs", {}, definitions), paper, ...content];
  return element("svg", attributes, parts.join("\n"));
}

/** The heads of arrows, plain and critical, for `marker-end`. @param prefix of their ids: each kind of picture in a page needs its own */
export function arrowHeads(prefix: string, size: number): string {
  const shape = {
    viewBox: "0 0 8 8",
    refX: 7,
    refY: 4,
    markerWidth: size,
    markerHeight: size,
    markerUnits: "userSpaceOnUse",
    orient: "auto",
  };
  const heads = ["arrow-head", "critical-head"].map((name) =>
    element("marker", { id: `${prefix}-${name}`, ...shape }, element("path", { class: name, d: "M0,0.8 L8,4 L0,7.2 z" })),
  );
  return heads.join("");
}

const LEAST_SCALE = 0.9;

/** A line of text in a picture. */
export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return content === "" ? "" : element("text", { x, y, ...attributes }, escapeXml(content));
}

/** The text that a browser shows while the pointer rests on the surrounding element. */
export function tooltip(content: string): string {
  return element("title", {}, escapeXml(content));
}

function shortNumber(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The width of a text in pixels: an estimate on the safe side for the sans-serif faces of the usual systems. */
export function textWidth(content: string, size = 12): number {
  return [...content].reduce((sum, letter) => sum + size * (letter > "\u2e7f" ? 1.05 : /[iljt.,:;'|()]/.test(letter) ? 0.34 : 0.6), 0);
}

/** The text, cut with an ellipsis where it would be wider than `width`. */
export function fitted(content: string, width: number, size = 12): string {
  if (textWidth(content, size) <= width) return content;
  const letters = [...content];
  while (letters.length > 0 && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
  return letters.length === 0 ? "" : `${letters.join("")}…`;
}

/**
 * The colours of all pictures, light and dark. Outcomes and phases use Okabe and Ito's palette, which people with any colour vision can
 * tell apart; no outcome is told by its colour alone.
 */
export const STYLE = `
.gb { --paper:#ffffff; --ink:#1b1f24; --soft:#5b6570; --grid:#e3e7eb; --stripe:#f6f8fa; --line:#c3cad1; --critical:#1b1f24;
  --changed:#0072b2; --unchanged:#56b4e9; --degraded:#e69f00; --failed:#d55e00; --skipped:#8a939c; --running:#009e73;
  --tool:#1b1f24; --on-dark:#ffffff; --on-light:#1b1f24; }
@media (prefers-color-scheme: dark) {
  .gb { --paper:#12161b; --ink:#e8ecf0; --soft:#9aa5b1; --grid:#262d35; --stripe:#171c22; --line:#47525e; --critical:#f4f6f8;
    --changed:#3f9edb; --unchanged:#7cc7f0; --degraded:#f0b429; --failed:#f07a35; --skipped:#7d8894; --running:#2bbd92;
    --tool:#f4f6f8; }
}
.gb { color-scheme: light dark; font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12px; }
.gb text { fill: var(--ink); }
.gb .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
.gb .soft { fill: var(--soft); }
.gb .strong { font-weight: 600; }
.gb .paper { fill: var(--paper); }
.gb .stripe { fill: var(--stripe); }
.gb .grid { stroke: var(--grid); stroke-width: 1; shape-rendering: crispEdges; }
.gb .frame { stroke: var(--line); stroke-width: 1; fill: none; }
.gb .arrow { stroke: var(--line); stroke-width: 1.2; fill: none; }
.gb .arrow-head { fill: var(--line); }
.gb .critical { stroke: var(--critical); stroke-width: 2; fill: none; }
.gb .critical-head { fill: var(--critical); }
.gb .tool { fill: var(--tool); }
.gb .wait-paper { fill: var(--paper); }
.gb .wait-line { stroke: var(--degraded); stroke-width: 3; }
.gb .wait-edge { fill: none; stroke: var(--degraded); stroke-width: 1; }
.gb .changed { fill: var(--changed); } .gb .unchanged { fill: var(--unchanged); } .gb .degraded { fill: var(--degraded); }
.gb .failed { fill: var(--failed); } .gb .running { fill: var(--running); }
.gb .skipped { fill: none; stroke: var(--skipped); stroke-dasharray: 3 2; }
.gb .plain { fill: var(--skipped); } .gb .hatched { fill: url(#gb-wait); }
.gb .pale { fill-opacity: 0.35; }
`.trim();
