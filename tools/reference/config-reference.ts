import { BootConfig, ExtraUnit } from "../../src/config/boot-config.ts";
import * as z from "../../src/base/schema.ts";
import { codesReference } from "./problem-codes.ts";
import { DEFAULT_PROFILE, profiles } from "../../src/profiles/profiles.ts";
import { stagesOf } from "../../src/run/stages.ts";

/** One value of a file, as its documentation has it. */
export interface ValueFacts {
  /** `layout.partitions.store`; NAME stands for what the reader chooses. */
  readonly key: string;
  readonly description: string;
  /** What may be there, in the words of the error for everything else. */
  readonly value: string;
  readonly default: string;
}

/** Every value of a schema, in its order. */
export function valuesOf(schema: z.core.$ZodType, key = ""): readonly ValueFacts[] {
  const below = (name: string): string => (key === "" ? name : `${key}.${name}`);
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodMiniObject)
    return Object.entries(inner.shape as Readonly<Record<string, z.core.$ZodType>>).flatMap(([name, value]) =>
      valuesOf(value, below(name)),
    );
  if (inner instanceof z.ZodMiniRecord) return valuesOf(inner.def.valueType, below("NAME"));
  const facts = z.toJSONSchema(schema as z.ZodMiniType, { io: "input" });
  // A map is none of these values.
  const { error } = (inner as z.ZodMiniType).safeParse(new Map());
  const items =
    inner instanceof z.ZodMiniArray ? ` of: ${(inner.def.element as z.ZodMiniType).safeParse(new Map()).error?.issues[0]?.message}` : "";
  return [
    {
      key,
      description: facts.description ?? "",
      value: `${error?.issues[0]?.message}${items}`,
      default: defaultText(schema as z.ZodMiniType),
    },
  ];
}

function defaultText(schema: z.ZodMiniType): string {
  const usual = schema.safeParse(undefined);
  if (!usual.success) return "none: it must be there";
  if (usual.data === undefined) return "";
  return Array.isArray(usual.data) ? "none" : `\`${JSON.stringify(usual.data).replaceAll('"', "")}\``;
}

/** Which document has which reference. */
export function references(): ReadonlyMap<string, string> {
  return new Map([
    ["boot-config.md", bootConfigReference()],
    ["extra-units.md", extraUnitReference()],
    ["codes.md", codesReference()],
  ]);
}

const { chain, maintenance } = profiles[DEFAULT_PROFILE];
const booted = await chain();
const all = [...booted, ...(await maintenance())];

/** The tables of docs/boot-config.md. */
function bootConfigReference(): string {
  const values = valuesOf(BootConfig);
  const section = (name: string): string => valueTable(values.filter(({ key }) => key.startsWith(`${name}.`)));
  const stageOf = stagesOf(all);
  const units = all.map((unit) => [
    `\`${unit.name}\``,
    booted.includes(unit) ? stageOf(unit) : "monitor",
    String(unit.timeout / 1000),
    String(unit.retryFor / 1000),
    unit.onFailure,
    all
      .filter(({ requires }) => requires.includes(unit))
      .map(({ name }) => name)
      .join(", "),
  ]);
  return [
    "### layout",
    section("layout"),
    "### units",
    section("units"),
    "What they are without a word in the file, and who must be off before a unit can be:",
    table(["unit", "stage", "timeout", "retryFor", "onFailure", "required by"], units),
    "### extraUnits",
    section("extraUnits"),
  ].join("\n\n");
}

/** The table of docs/extra-units.md. */
function extraUnitReference(): string {
  return valueTable(valuesOf(ExtraUnit));
}

const BEGIN = "<!-- what follows is written by make schemas -->\n";
const END = "<!-- the end of it -->\n";

/** The document with the reference in its place. @throws Error when it has no such place */
export function withReference(markdown: string, reference: string): string {
  const [before, rest] = markdown.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("the document has no place for a reference");
  return `${before}${BEGIN}\n${reference}\n\n${END}${after}`;
}

function valueTable(values: readonly ValueFacts[]): string {
  return table(
    ["key", "what", "value", "default"],
    values.map(({ key, description, value, default: usual }) => [`\`${key}\``, description, value, usual]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`.replaceAll("|  |", "| |")).join("\n");
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniDefault || schema instanceof z.ZodMiniPrefault
    ? unwrapped(schema.def.innerType)
    : schema;
}
