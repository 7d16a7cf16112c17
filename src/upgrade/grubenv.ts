import { ProblemError } from "../base/problem.ts";

/**
 * GRUB's environment block: the 1024 bytes through which GRUB and the system agree on the slot to boot.
 *
 * A signature line comes first, then lines `name=value`, then `#` up to the end. In a value, a backslash makes the next character part of
 * it, even a newline. A line that begins with `#` is a comment. The rules here are those of GRUB 2.12 (lib/envblk.c, commands/loadenv.c),
 * because what counts is how GRUB reads a block, even a broken one.
 *
 * Text represents bytes here, one character each (ISO 8859-1), so that content which is not ours is written back unchanged.
 */
export interface GrubVariable {
  /** As GRUB reads it: up to the first NUL, if there is one. */
  readonly name: string;
  /** Without its escapes. */
  readonly value: string;
  /** The line as it is in the file, without the newline that ends it. */
  readonly raw: string;
}

export interface ReadGrubenv {
  /** False when GRUB finds nothing in it, and writes nothing to it. */
  readonly readable: boolean;
  /** In order, each occurrence: for GRUB, the last one of a name counts. */
  readonly variables: readonly GrubVariable[];
  /** Lines and comments to keep when the block is rewritten: all but our own variables, and without padding. */
  readonly others: readonly string[];
  /** Deviations from a block as guestos-boot writes it, in words. Empty: GRUB can read it and save to it. */
  readonly faults: readonly string[];
}

const SIGNATURE = "# GRUB Environment Block\n";
/** The size of a block from GRUB's own tool, and the only size on which a write in place can rely. */
export const GRUBENV_BYTES = 1024;
/** Any disk writes a sector whole or not at all: our variables are in the first one. */
export const SECTOR = 512;
/**
 * Bytes of padding that always remain. GRUB's step from `first_boot` to `failsafe_check` needs 4, or the trial would never end. Its code
 * that shortens a value writes up to twice the difference beyond the last line, into the padding or past it.
 */
const ROOM = 32;
/** Not a `#` that a backslash makes part of a value; with the carriage return that an editor of another system may add. */
const PADDING = new RegExp(`(?<!\\\\)#{${ROOM},}\\r?`, "g");

/** @param ours names of the variables that are not to be kept as `others` */
export function parseGrubenv(bytes: Uint8Array | undefined, ours: readonly string[]): ReadGrubenv {
  const nothing = (fault: string): ReadGrubenv => ({ readable: false, variables: [], others: [], faults: [fault] });
  if (bytes === undefined) return nothing("there is no such file");
  const text = Buffer.from(bytes).toString("latin1");
  // GRUB requires one byte more than its signature has.
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
    // GRUB searches for room from the end, and gives up unless it finds the end of a whole line there.
    ...(/\n#*$/.test(text) ? [] : ["GRUB cannot save to it: its last line has no end"]),
    ...(hasRoom ? [] : ["GRUB has no room in it to save a longer value"]),
    ...ours.filter((name) => named(name).length > 1).map((name) => `${name} occurs ${named(name).length} times`),
    ...(own.some(({ at, raw }) => at + raw.length >= SECTOR) ? ["the boot state is not in its first sector"] : []),
  ];
  const others = [...variables.filter((variable) => !own.includes(variable)), ...comments]
    .toSorted((one, two) => one.at - two.at)
    .flatMap(({ raw }) => (hasRoom ? raw : withoutPadding(raw)));
  return { readable: true, variables, others, faults };
}

/** The number of `#` at its end. */
function padding(text: string): number {
  return /#*$/.exec(text)?.[0].length ?? 0;
}

/**
 * A newline in or after the padding, as an editor or `echo >>` leaves it, makes the padding part of a line: a comment, a value. Such a
 * line, kept unchanged, would take the room that the padding is for.
 *
 * @param raw a line of a block without room
 * @returns the line without padding; nothing where only padding was in it
 */
function withoutPadding(raw: string): readonly string[] {
  const rest = raw.slice(0, 1) + raw.slice(1).replaceAll(PADDING, "");
  return /^#\s*$/.test(rest) ? [] : [rest];
}

interface At {
  readonly at: number;
  readonly raw: string;
}

/** As grub_envblk_iterate does: a name extends to the next `=`, even across line ends. */
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
    // Text that begins with `#` and has no line end is the padding.
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

/** The position of the newline that ends the line; at least the text's length when there is none. */
function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** GRUB treats names and values as C strings. */
function upToNul(text: string): string {
  return text.split("\0", 1)[0] ?? "";
}

/**
 * A block of exactly 1024 bytes: our variables first, then the other lines, unchanged. Comments mean nothing to GRUB, and its tool does not
 * list them: they are dropped where there is no room for both.
 *
 * @param others lines as `parseGrubenv` found them
 * @throws ProblemError when the content does not fit; our variables never reach beyond the first sector
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
 * The block after GRUB's `save_env` (grub_envblk_set): the first line of that name takes the value, or a new line is added before the
 * padding. The length stays.
 *
 * @returns the block unchanged where GRUB would silently write nothing: no signature, no whole last line, no room
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

/** The start of the first line that GRUB takes for that variable. */
function lineNamed(text: string, name: string, space: number): number | undefined {
  for (let at = SIGNATURE.length; at + name.length + 1 < space; at = endOfLine(text, at) + 1) {
    if (text.startsWith(`${name}=`, at)) return at;
  }
  return undefined;
}
