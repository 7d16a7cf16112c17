import { ProblemError } from "../base/problem.ts";

/**
 * GRUB's environment block: the 1024 bytes in which GRUB and the system tell each other which slot is to be booted.
 *
 * A line of signature, then lines `name=value`, then `#` up to the end. In a value a backslash makes the next character,
 * a newline too, part of it. A line that begins with `#` says nothing. The rules here are those of GRUB 2.12 (lib/envblk.c,
 * commands/loadenv.c), because what counts is what GRUB makes of a block, the broken ones included.
 *
 * Text stands for bytes here, one character each (ISO 8859-1), so that what is not ours goes back as it came.
 */
export interface GrubVariable {
  /** As GRUB knows it: up to the first NUL, if there is one. */
  readonly name: string;
  /** Without its escapes. */
  readonly value: string;
  /** The line as it stands, without the newline that ends it. */
  readonly raw: string;
}

export interface ReadGrubenv {
  /** False when GRUB finds nothing in it, and writes nothing to it. */
  readonly readable: boolean;
  /** In order, each occurrence: for GRUB the last one of a name counts. */
  readonly variables: readonly GrubVariable[];
  /** Lines and comments that must not be lost when the block is written again: all but `variables` of ours, and without padding. */
  readonly others: readonly string[];
  /** What is not as guestos-boot writes it, in words. Empty: GRUB will read and save it as it should. */
  readonly faults: readonly string[];
}

const SIGNATURE = "# GRUB Environment Block\n";
/** What GRUB's own tool makes, and all that a write in place may count on. */
export const GRUBENV_BYTES = 1024;
/** Written whole or not at all by any disk: our variables stand in the first one. */
export const SECTOR = 512;
/**
 * Bytes of padding that are always left. GRUB's `first_boot` → `failsafe_check` needs 4, or the trial would have no end; and
 * its code that makes a value shorter writes up to twice the difference beyond the last line, into the padding or past it.
 */
const ROOM = 32;
/** Not the `#` that a backslash makes part of a value; with what an editor of another system ends a line with. */
const PADDING = new RegExp(`(?<!\\\\)#{${ROOM},}\\r?`, "g");

/** @param ours names of the variables that are not to be kept as `others` */
export function parseGrubenv(bytes: Uint8Array | undefined, ours: readonly string[]): ReadGrubenv {
  const nothing = (fault: string): ReadGrubenv => ({ readable: false, variables: [], others: [], faults: [fault] });
  if (bytes === undefined) return nothing("there is no such file");
  const text = Buffer.from(bytes).toString("latin1");
  // GRUB asks for one byte more than its signature has.
  if (text.length <= SIGNATURE.length || !text.startsWith(SIGNATURE)) {
    return nothing(text.length === 0 ? "it is empty" : "it does not begin with GRUB's signature");
  }
  const { variables, comments, broken } = readLines(text);
  const named = (name: string): readonly GrubVariable[] => variables.filter((variable) => variable.name === name);
  const own = variables.filter(({ name }) => ours.includes(name));
  const hasRoom = padding(text) >= ROOM;
  const faults = [
    ...(text.length === GRUBENV_BYTES ? [] : [`it has ${text.length} bytes and not ${GRUBENV_BYTES}`]),
    ...(broken ? ["its end cannot be read"] : []),
    // GRUB looks for room from the end, and gives up when it finds anything but a whole line there.
    ...(/\n#*$/.test(text) ? [] : ["GRUB cannot save to it: its last line has no end"]),
    ...(hasRoom ? [] : ["GRUB has no room in it to save a longer value"]),
    ...ours.filter((name) => named(name).length > 1).map((name) => `${name} stands there ${named(name).length} times`),
    ...(own.some(({ at, raw }) => at + raw.length >= SECTOR) ? ["the boot state is not in its first sector"] : []),
  ];
  const others = [...variables.filter((variable) => !own.includes(variable)), ...comments]
    .toSorted((one, two) => one.at - two.at)
    .flatMap(({ raw }) => (hasRoom ? raw : withoutPadding(raw)));
  return { readable: true, variables, others, faults };
}

/** How many `#` fill its end. */
function padding(text: string): number {
  return /#*$/.exec(text)?.[0].length ?? 0;
}

/**
 * A newline in the padding or behind it, as an editor or `echo >>` leaves it, makes the padding part of a line: a comment, a value.
 * Kept as it stands, it would take the room that it was there for.
 *
 * @param raw a line of a block without room
 * @returns what it says, and nothing where it says nothing
 */
function withoutPadding(raw: string): readonly string[] {
  const rest = raw.slice(0, 1) + raw.slice(1).replaceAll(PADDING, "");
  return /^#\s*$/.test(rest) ? [] : [rest];
}

interface At {
  readonly at: number;
  readonly raw: string;
}

/** As grub_envblk_iterate: a name runs to the next `=`, over ends of lines too. */
function readLines(text: string): {
  readonly variables: readonly (GrubVariable & At)[];
  readonly comments: readonly At[];
  readonly broken: boolean;
} {
  const variables: (GrubVariable & At)[] = [];
  const comments: At[] = [];
  for (let at = SIGNATURE.length; at < text.length;) {
    const comment = text[at] === "#";
    const equals = comment ? at : text.indexOf("=", at);
    if (equals === -1) return { variables, comments, broken: true };
    const end = endOfLine(text, comment ? at : equals + 1);
    // What begins with `#` and has no end is the padding.
    if (end >= text.length) return { variables, comments, broken: !comment };
    const raw = text.slice(at, end);
    if (comment) comments.push({ at, raw });
    else {
      const value = text.slice(equals + 1, end).replaceAll(/\\([\s\S])/g, "$1");
      variables.push({ at, raw, name: upToNul(text.slice(at, equals)), value: upToNul(value) });
    }
    at = end + 1;
  }
  return { variables, comments, broken: false };
}

/** Where the newline stands that ends the line, or at least the text's length when there is none. */
function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Names and values are C strings to GRUB. */
function upToNul(text: string): string {
  return text.split("\0", 1)[0] ?? "";
}

/**
 * A block of exactly 1024 bytes: ours first, then what else stood there, as it stood. Comments, which say nothing to GRUB and which
 * its tool does not list, give way to variables where there is no room for both.
 *
 * @param others lines as `parseGrubenv` found them
 * @throws ProblemError when it does not fit; ours never reach beyond the first sector
 */
export function renderGrubenv(ours: readonly (readonly [name: string, value: string])[], others: readonly string[]): Uint8Array {
  const head = SIGNATURE + ours.map(([name, value]) => `${name}=${escaped(value)}\n`).join("");
  const whole = (lines: readonly string[]): string => head + lines.map((line) => `${line}\n`).join("");
  const fits = (text: string): boolean => text.length <= GRUBENV_BYTES - ROOM;
  const variables = whole(others.filter((line) => !line.startsWith("#")));
  const text = fits(whole(others)) ? whole(others) : variables;
  if (head.length > SECTOR || !fits(text)) {
    throw new ProblemError({
      code: "grubenv-full",
      what: "GRUB's environment block has no room for the boot state",
      found: `${text.length} bytes`,
      expected: `at most ${GRUBENV_BYTES - ROOM}`,
      todo: "remove what is not needed from it: grub-editenv /boot/grub/grubenv list, then unset NAME",
    });
  }
  return Buffer.from(text.padEnd(GRUBENV_BYTES, "#"), "latin1");
}

function escaped(value: string): string {
  return value.replaceAll(/[\\\n]/g, (character) => `\\${character}`);
}

/**
 * What GRUB's `save_env` makes of a block (grub_envblk_set): the first line of that name takes the value, or a new one is
 * added before the padding. The length stays.
 *
 * @returns the block unchanged where GRUB would say nothing and write nothing: no signature, no whole last line, no room
 */
export function savedByGrub(bytes: Uint8Array, values: readonly (readonly [name: string, value: string])[]): Uint8Array {
  let text = Buffer.from(bytes).toString("latin1");
  if (text.length <= SIGNATURE.length || !text.startsWith(SIGNATURE)) return bytes;
  for (const [name, value] of values) {
    const space = text.length - padding(text);
    if (text[space - 1] !== "\n") return bytes;
    const line = `${name}=${escaped(value)}`;
    const at = lineNamed(text, name, space);
    const start = at ?? space;
    const end = at === undefined ? space : endOfLine(text, at + name.length + 1);
    if (end >= text.length && at !== undefined) return bytes;
    const grown = `${text.slice(0, start)}${line}${at === undefined ? "\n" : ""}${text.slice(end, space)}`;
    if (grown.length > text.length) return bytes;
    text = grown.padEnd(text.length, "#");
  }
  return Buffer.from(text, "latin1");
}

/** Where the first line begins that GRUB takes for that variable. */
function lineNamed(text: string, name: string, space: number): number | undefined {
  for (let at = SIGNATURE.length; at + name.length + 1 < space; at = endOfLine(text, at) + 1) {
    if (text.startsWith(`${name}=`, at)) return at;
  }
  return undefined;
}
