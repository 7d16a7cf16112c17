/** Pieces of man(7), as lines. Text is plain; what is marked up in it says so with the functions here. */

/** Plain text for the body of a page: a backslash, a leading dot or quote would be commands. */
export function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll(/^([.'])/gm, "\\&$1");
}

/** What is typed or is in a file: its hyphens are the minus sign that can be copied. */
export function literal(text: string): string {
  return escaped(text).replaceAll("-", "\\-");
}

export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

export interface Page {
  readonly name: string;
  readonly section: number;
  /** One line without a full stop, for apropos(1). */
  readonly purpose: string;
  /** ISO 8601. */
  readonly date: string;
  readonly version: string;
}

export function pageHead({ name, section, purpose, date, version }: Page): readonly string[] {
  return [
    // man-db runs the preprocessors that this line names: none.
    `.TH ${name.toUpperCase().replaceAll("-", "\\-")} ${section} ${date} "guestos\\-boot ${literal(version)}" "GuestOS"`,
    // No hyphenation, no stretched lines: names of files and options are most of these pages.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${literal(name)} \\- ${escaped(purpose)}`,
  ];
}

export function heading(title: string): readonly string[] {
  return [`.SH ${escaped(title.toUpperCase())}`];
}

export function subheading(title: string): readonly string[] {
  return [`.SS ${escaped(title)}`];
}

/** @param body marked up already */
export function paragraph(body: string): readonly string[] {
  return [".PP", body];
}

/** A term, and below it what it means. Both are marked up already. */
export function item(term: string, ...body: readonly string[]): readonly string[] {
  return [".TP", term, ...body];
}

export function bullet(body: string): readonly string[] {
  return [".IP \\(bu 2", body];
}

/** As it is typed or printed. */
export function example(lines: readonly string[]): readonly string[] {
  return [".PP", ".RS 4", ".nf", ...lines.map((line) => (line === "" ? ".sp" : literal(line))), ".fi", ".RE"];
}

export function indented(lines: readonly string[]): readonly string[] {
  return [".RS", ...lines, ".RE"];
}

/** The file of a page. A heading begins a paragraph already. */
export function pageText(lines: readonly string[]): string {
  const text = lines.filter((line, index) => line !== ".PP" || !/^\.S[HS] /.test(lines[index - 1] ?? ""));
  return `${text.join("\n")}\n`;
}
