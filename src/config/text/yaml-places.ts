import { type Document, isNode, isPair, isScalar, type LineCounter, type Node } from "yaml";
import type { Finding } from "../../base/finding.ts";
import { perhaps } from "../../base/nearest.ts";
import { quoted } from "../../base/quoted.ts";
import * as z from "../../base/schema.ts";

/** A path through a document: keys, and numbers in lists. */
export type Path = readonly PropertyKey[];

type Position = Pick<Finding, "line" | "column">;

/** The places of keys and values in a YAML document, and the findings for a schema's issues. */
export class YamlPlaces {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #text: string;

  constructor(document: Document, lines: LineCounter, text: string) {
    this.#document = document;
    this.#lines = lines;
    this.#text = text;
  }

  position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }

  /** The place of a key, or of the nearest existing one above it. */
  key(path: Path): Position {
    const name = path.at(-1);
    if (name === undefined) return this.position(this.#node([])?.range?.[0] ?? 0);
    const parent = this.#node(path.slice(0, -1));
    const items: readonly unknown[] = parent !== undefined && "items" in parent && Array.isArray(parent.items) ? parent.items : [];
    const keys = items.map((item) => (isPair(item) && isScalar(item.key) ? item.key : undefined));
    const range = keys.find((key) => key?.value === name)?.range ?? undefined;
    return range === undefined ? this.key(path.slice(0, -1)) : this.position(range[0]);
  }

  /** One finding for each mistake that the schema reports. */
  findings(issue: z.core.$ZodIssue, schema: z.core.$ZodType): readonly Finding[] {
    const name = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, issue.path);
      return issue.keys.map((key) => ({
        ...this.key([...issue.path, key]),
        code: "unknown-key",
        what: name === "" ? "there is no such key" : `there is no such key in ${name}`,
        found: quoted(key),
        expected: perhaps(key, known),
      }));
    }
    if (issue.code === "invalid_key") {
      const words = { found: quoted(String(issue.path.at(-1))), expected: issue.issues[0]?.message ?? issue.message };
      return [{ ...this.key(issue.path), code: "name-not-usable", what: "a name is not usable", ...words }];
    }
    const usual = { code: "value-not-usable", what: `${name === "" ? "the file" : name} is not usable` };
    const node = this.#node(issue.path);
    const range = node?.range;
    if (range === undefined || range === null || range[0] === range[1])
      return [{ ...this.key(issue.path), ...usual, found: "nothing", expected: issue.message }];
    return [{ ...this.position(range[0]), ...usual, found: this.#shown(range), expected: issue.message }];
  }

  /** The value as written, cut when it is long; of several lines the first. */
  #shown([start, end]: readonly [number, number, number]): string {
    return quoted(this.#text.slice(start, end).split("\n", 1)[0]?.trimEnd() ?? "");
  }

  #node(path: Path): Node | undefined {
    const node: unknown = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return isNode(node) ? node : undefined;
  }
}

/** The keys that an object of the schema may have; empty where the path leads to no object. */
function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const [first, ...rest] = path;
  if (schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniDefault || schema instanceof z.ZodMiniPrefault)
    return keysAt(schema.def.innerType, path);
  if (schema instanceof z.ZodMiniRecord) return keysAt(schema.def.valueType, rest);
  if (!(schema instanceof z.ZodMiniObject)) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const below = first === undefined ? undefined : shape[String(first)];
  if (first === undefined) return Object.keys(shape);
  return below === undefined ? [] : keysAt(below, rest);
}
