import type { Stage } from "../../boot/record/record.ts";
import type { Unit } from "../../boot/unit.ts";
import { stagesOf } from "../../run/stages.ts";

export type GraphFormat = "text" | "dot" | "mermaid";

/**
 * The units and their dependencies: lines to read, or the language of Graphviz or Mermaid. Arrows point away from the unit that comes
 * first.
 */
export function graphText<M>(units: readonly Unit<M>[], format: GraphFormat): string {
  const stageOf = stagesOf(units);
  switch (format) {
    case "text": {
      const width = Math.max(20, ...units.map(({ name }) => name.length));
      return units.map((unit) => textLine(unit, width)).join("\n");
    }
    case "dot":
      return [
        "digraph chain {",
        "  rankdir=LR;",
        "  node [shape=box];",
        ...units.flatMap((unit) => dotLines(unit, stageOf(unit))),
        "}",
      ].join("\n");
    case "mermaid":
      return ["flowchart LR", ...units.flatMap((unit) => mermaidLines(unit, stageOf(unit)))].join("\n");
  }
}

function textLine<M>({ name, requires, after }: Unit<M>, width: number): string {
  const parts = [
    ...(requires.length === 0 ? [] : [`requires ${names(requires)}`]),
    // A requirement comes first anyway.
    ...(orderOnly(requires, after).length === 0 ? [] : [`after ${names(orderOnly(requires, after))}`]),
  ];
  return `${name.padEnd(width)} ${parts.join("; ")}`.trimEnd();
}

function dotLines<M>({ name, title, requires, after }: Unit<M>, stage: Stage): readonly string[] {
  return [
    `  ${JSON.stringify(name)} [tooltip=${JSON.stringify(title)}${stage === "late" ? ", style=rounded" : ""}];`,
    ...requires.map((first) => `  ${JSON.stringify(first.name)} -> ${JSON.stringify(name)};`),
    ...orderOnly(requires, after).map((first) => `  ${JSON.stringify(first.name)} -> ${JSON.stringify(name)} [style=dashed];`),
  ];
}

function mermaidLines<M>({ name, requires, after }: Unit<M>, stage: Stage): readonly string[] {
  return [
    stage === "late" ? `  ${name}(${name})` : `  ${name}[${name}]`,
    ...requires.map((first) => `  ${first.name} --> ${name}`),
    ...orderOnly(requires, after).map((first) => `  ${first.name} -.-> ${name}`),
  ];
}

function orderOnly<M>(requires: readonly Unit<M>[], after: readonly Unit<M>[]): readonly Unit<M>[] {
  return after.filter((unit) => !requires.includes(unit));
}

function names<M>(units: readonly Unit<M>[]): string {
  return units.map(({ name }) => name).join(", ");
}
