import { expect, test } from "vitest";
import { roffOf, sectionOf } from "../../../../tools/man/markdown.ts";

test.each<readonly [string, string, readonly string[]]>([
  ["a heading", "## Files of `x`", [".SH FILES OF X"]],
  ["a heading below that, and its text", "### One\nText.", [".SS One", ".PP", "Text."]],
  ["a paragraph, its code and its emphasis", "Run `a --b`\nor **not**.", [".PP", "Run \\fBa \\-\\-b\\fR or \\fBnot\\fR."]],
  ["a link to another document", "See [the store](upgrade.md).", [".PP", "See the store (docs/upgrade.md)."]],
  ["a link to the same one", "See [below](#below).", [".PP", "See below."]],
  ["a list", "- one\n- two\n  lines", [".IP \\(bu 2", "one", ".IP \\(bu 2", "two lines"]],
  ["a list of contents, which is for readers who can click", "- [One](#one)\n- [Two](#two)", []],
  ["code, as it is", "```\n# a\n\n.b \\c\n```", [".PP", ".RS 4", ".nf", "# a", ".sp", "\\&.b \\ec", ".fi", ".RE"]],
  [
    "a table: what a row is about, and below it the rest",
    "| key | value | default |\n| --- | --- | --- |\n| `a` | text | 3 |\n| b | other | |",
    [".TP", "\\fBa\\fR", "text\n.br\ndefault: 3", ".TP", "b", "other"],
  ],
  ["a comment, which is for who writes", "<!-- made by a tool -->\n\nText.", [".PP", "Text."]],
  ["what would be a command at the beginning of a line", ".dot", [".PP", "\\&.dot"]],
])("%s", (_, markdown, expected) => {
  expect(roffOf(markdown)).toEqual(expected);
});

test("a section ends where the next one begins", () => {
  expect(sectionOf("# T\n\n## A\nOne.\n\n### A.1\nTwo.\n\n## B\nThree.", "A")).toBe("One.\n\n### A.1\nTwo.\n");
  expect(() => sectionOf("# T", "A")).toThrow('there is no section "A"');
});
