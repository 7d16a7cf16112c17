import { bold, bullet, escaped, example, heading, item, paragraph, subheading } from "./roff.ts";

/**
 * The part of Markdown that docs/ is written in, as man(7): headings, paragraphs, lists, tables, blocks of code. So a page of the
 * manual and the document that it comes from cannot say different things.
 *
 * @param markdown without its title
 */
export function roffOf(markdown: string): readonly string[] {
  // Comments are for who writes the document.
  return blocksOf(markdown.replaceAll(/^<!--.*-->$/gm, "")).flatMap(blockRoff);
}

/** What is below a heading, up to the next one of its level. @throws Error when there is no such heading */
export function sectionOf(markdown: string, title: string): string {
  const [, below] = markdown.split(`\n## ${title}\n`);
  if (below === undefined) throw new Error(`there is no section "${title}"`);
  return below.split("\n## ")[0] ?? "";
}

type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "code"; readonly lines: readonly string[] }
  | { readonly kind: "table"; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "paragraph"; readonly text: string };

function blocksOf(markdown: string): readonly Block[] {
  // Code first: what has the form of a heading in it is a comment of a shell.
  return markdown.split(/^(```.*\n[^]*?^```)$/m).flatMap((part): readonly Block[] => {
    if (part.startsWith("```")) return [{ kind: "code", lines: part.split("\n").slice(1, -1) }];
    return part
      .split(/\n\s*\n|(?<=^#.*)\n/m)
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .map(blockOf);
  });
}

function blockOf(text: string): Block {
  const [, hashes, title] = /^(#+) (.*)$/.exec(text) ?? [];
  if (hashes !== undefined && title !== undefined) return { kind: "heading", level: hashes.length, text: title };
  if (text.startsWith("|")) {
    const [header = [], , ...rows] = text.split("\n").map(cells);
    return { kind: "table", header, rows };
  }
  if (/^(-|\d+\.) /.test(text))
    return { kind: "list", items: text.split(/\n(?=(?:-|\d+\.) )/).map((line) => line.replace(/^(-|\d+\.) /, "")) };
  return { kind: "paragraph", text };
}

function cells(row: string): readonly string[] {
  return row
    .replaceAll(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

function blockRoff(block: Block): readonly string[] {
  switch (block.kind) {
    case "heading":
      return block.level <= 2 ? heading(plain(block.text)) : subheading(plain(block.text));
    case "code":
      return example(block.lines);
    case "table":
      return block.rows.flatMap(([first = "", ...others]) => item(inline(first), rowText(block.header.slice(1), others)));
    case "list":
      // A list of contents is for readers who can click.
      return block.items.filter((text) => !/^\[[^\]]*\]\(#[^)]*\)$/.test(text)).flatMap((text) => bullet(inline(text)));
    case "paragraph":
      return paragraph(inline(block.text));
  }
}

/** A row after its first cell: the second as it is, the others after the names of their columns. */
function rowText(header: readonly string[], others: readonly string[]): string {
  const texts = others.flatMap((cell, index) => (cell === "" ? [] : [index === 0 ? cell : `${header[index] ?? ""}: ${cell}`]));
  // An item without a body would take the next one for it.
  return texts.length === 0 ? "\\&" : texts.map(inline).join("\n.br\n");
}

/** Text with its code, its emphasis and its links. */
function inline(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, " ")
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith("`") ? bold(part.slice(1, -1)) : emphasized(part)))
    .join("")
    .replace(/^([.'])/, "\\&$1");
}

function emphasized(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, (_, words: string, target: string) =>
      target.startsWith("#") ? words : `${words} (docs/${target})`,
    )
    .split(/(\*\*[^*]+\*\*)/)
    .map((part) => (part.startsWith("**") ? `\\fB${escaped(part.slice(2, -2))}\\fR` : part.replaceAll("\\", "\\e")))
    .join("");
}

function plain(text: string): string {
  return text.replaceAll("`", "");
}
