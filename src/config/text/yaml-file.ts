import { type Finding, refuseFindings } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";
import type * as z from "../../base/schema.ts";
import { textLines } from "./text-lines.ts";
import type { Path } from "./yaml-places.ts";

/** A value that was read from YAML, and the places of its keys. */
export interface YamlFile<T> {
  readonly file: string;
  readonly value: T;
  /** The place of a key, for a mistake that only the caller can detect. */
  readonly keyAt: (path: Path) => Pick<Finding, "line" | "column">;
}

/**
 * Reads a small YAML file by its schema. Data only: no aliases, no tags, no second document. A key without a value counts as absent, as in
 * the files of the config partition. An empty file was truncated, and is a mistake.
 *
 * The parser is loaded with the first file that exists: a boot without one does not pay for it.
 *
 * @throws ProblemError naming every mistake with line and column
 */
export async function parseYaml<T>(content: Uint8Array, file: string, schema: z.ZodMiniType<T>): Promise<YamlFile<T>> {
  refuseFindings(file, textLines(content, file, { tabs: true }).findings);
  const text = Buffer.from(content).toString("utf8");
  if (text.trim() === "") {
    const expected = "keys and values, or a comment that begins with #";
    refuseFindings(file, [{ line: 1, column: 1, code: "file-empty", what: "the file is empty", found: "nothing", expected }]);
  }
  const [{ isAlias, isNode, isPair, isScalar, LineCounter, parseDocument, visit }, { YamlPlaces }] = await Promise.all([
    import("yaml"),
    import("./yaml-places.ts"),
  ]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", logLevel: "error" });
  const places = new YamlPlaces(document, lines, text);
  refuseFindings(
    file,
    [...document.errors, ...document.warnings].map(({ message, pos: [offset] }) => ({
      ...places.position(offset),
      code: "yaml-not-readable",
      what: "this is not valid YAML",
      found: message.replace(/; please use .*$/, ""),
      expected: "keys and values (YAML 1.2)",
    })),
  );
  const strange: Finding[] = [];
  visit(document, (_, node) => {
    if (isAlias(node)) {
      const found = quoted(`*${node.source}`);
      strange.push({
        ...places.position(node.range?.[0] ?? 0),
        code: "yaml-alias",
        what: "a value refers to another one",
        found,
        expected: "the value itself",
      });
    }
    if (isPair(node) && !(isScalar(node.key) && typeof node.key.value === "string" && node.key.value !== "__proto__")) {
      const offset = isNode(node.key) ? (node.key.range?.[0] ?? 0) : 0;
      strange.push({
        ...places.position(offset),
        code: "key-not-usable",
        what: "this cannot be a key",
        found: quoted(String(node.key)),
        expected: "a word",
      });
    }
  });
  refuseFindings(file, strange);
  const value = withoutNothing(document.toJS()) ?? {};
  const issues = schema.safeParse(value).error?.issues ?? [];
  refuseFindings(
    file,
    issues.flatMap((issue) => places.findings(issue, schema)),
  );
  return { file, value: schema.parse(value), keyAt: (path) => places.key(path) };
}

/** The value with `undefined` in place of each missing value. */
function withoutNothing(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, withoutNothing(below)]));
}
