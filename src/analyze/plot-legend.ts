import { element, text, textWidth } from "./svg.ts";

const LEGEND: readonly (readonly [string, string])[] = [
  ["changed", "changed"],
  ["unchanged", "unchanged"],
  ["degraded", "degraded"],
  ["failed", "failed"],
  ["skipped", "skipped"],
  ["pale", "inspecting, or the runner"],
  ["tool", "a tool runs"],
  ["wait", "waits for something"],
  ["critical", "critical chain"],
  ["arrow", "released by"],
];

/** The legend, from that y on. @returns the y below it */
export function legend(layer: string[], y: number, left: number, right: number): number {
  let x = left;
  let line = y;
  for (const [kind, label] of LEGEND) {
    const width = 28 + textWidth(label, 11) + 18;
    if (x + width > right) {
      x = left;
      line += 20;
    }
    layer.push(swatch(kind, x, line), text(x + 28, line + 4, label, { class: "soft", style: "font-size:11px" }));
    x += width;
  }
  layer.push(
    text(left, line + 22, "Seconds since the kernel started. One arrow per unit, from the one that it waited for longest.", {
      class: "soft",
      style: "font-size:11px",
    }),
  );
  return line + 26;
}

function swatch(kind: string, x: number, y: number): string {
  const rect = { x, y: y - 6, width: 20, height: 12, rx: 2 };
  switch (kind) {
    case "pale":
      return element("rect", { ...rect, class: "changed pale" });
    case "tool":
      return element("rect", { ...rect, class: "changed" }) + element("rect", { x, y: y + 2, width: 20, height: 4, class: "tool" });
    case "wait":
      return element("rect", { ...rect, fill: "url(#gb-wait)" }) + element("rect", { ...rect, class: "wait-edge" });
    case "critical":
      return element("rect", { ...rect, class: "unchanged pale" }) + element("rect", { ...rect, class: "critical" });
    case "arrow":
      return element("path", { class: "arrow", d: `M${x},${y} L${x + 19},${y}`, "marker-end": "url(#gb-arrow-head)" });
    default:
      return element("rect", { ...rect, class: kind });
  }
}
