import { type Finding, refuseFindings } from "../../base/finding.ts";
import { optionFault, splitOptions } from "./key-options.ts";
import { PUBLIC_KEY_TYPES, publicBlobFault } from "./ssh-public-key.ts";
import { withoutPrivateKeys } from "../text/private-keys.ts";
import { shownLength, shownText } from "../text/shown-text.ts";
import { tidied } from "../text/tidied.ts";
import { textLines, type TextLine } from "../text/text-lines.ts";

/** A line of an authorized_keys file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). */
export interface AuthorizedKey {
  /** They only restrict. */
  readonly options: readonly string[];
  readonly type: string;
  /** The public key in base64. */
  readonly blob: string;
  readonly comment: string;
}

/**
 * Reads an authorized_keys file; blank lines and comments are skipped. A byte order mark and carriage returns at the ends of lines have no
 * meaning, and are not passed on. sshd accepts carriage returns, but reads a byte order mark as part of the first line.
 *
 * sshd accepts every key that is passed on: test/system/config/values/authorized-keys.test.ts checks that.
 *
 * @throws ProblemError naming every line that is not a public key, with its place
 */
export function parseAuthorizedKeys(content: Uint8Array, file: string): readonly AuthorizedKey[] {
  const { keys, findings } = scanAuthorizedKeys(content, file);
  refuseFindings(file, findings);
  return keys;
}

/**
 * As `parseAuthorizedKeys`, for a caller who reports each mistake by itself. A private key in the file is its one mistake, whatever else is
 * wrong. No word is shown that may be a part of one.
 *
 * @throws ProblemError when the file is too long
 */
export function scanAuthorizedKeys(
  content: Uint8Array,
  file: string,
): { readonly keys: readonly AuthorizedKey[]; readonly findings: readonly Finding[] } {
  const { lines: all, findings } = textLines(tidied(content).content, file, { tabs: true });
  const { lines, place } = withoutPrivateKeys(all);
  const keys: AuthorizedKey[] = [];
  const bad = [...findings];
  for (const line of lines) {
    if (line.text.trim() === "" || line.text.trimStart().startsWith("#")) continue;
    const key = parseLine(line);
    if ("what" in key) bad.push(key);
    else keys.push(key);
  }
  return { keys, findings: place === undefined ? bad : [{ ...place, ...PRIVATE_KEY }] };
}

const PRIVATE_KEY: Omit<Finding, "line" | "column"> = {
  code: "private-key-in-keys",
  what: "a private key is here",
  found: "a PEM block PRIVATE KEY",
  expected: "public keys alone",
  todo: "take the private key out, and make a new one where others may have seen it",
};

function parseLine({ text, number: line }: TextLine): AuthorizedKey | Finding {
  const wrong = (column: number, details: Pick<Finding, "code" | "what" | "found" | "expected">): Finding => ({
    line,
    column: column + 1,
    ...details,
  });
  const start = text.length - text.trimStart().length;
  const { options, at } = splitLine(text, start);
  const fault = optionFault(options);
  if (fault !== undefined)
    return wrong(start, { code: fault.code, what: fault.what, found: shownText(fault.option), expected: fault.expected });
  const [type = "", blob = "", ...comment] = text.slice(at).trim().split(/\s+/);
  if (!PUBLIC_KEY_TYPES.includes(type))
    return wrong(at, {
      code: "not-a-public-key",
      what: "a line is no public key",
      found: shownText(type),
      expected: `a key type: ${PUBLIC_KEY_TYPES.join(", ")}`,
    });
  const column = text.indexOf(blob, at + type.length);
  const bytes = Buffer.from(blob, "base64");
  const damaged = { code: "public-key-damaged", what: `the key of type ${type} is damaged` };
  if (blob === "" || bytes.toString("base64") !== blob)
    return wrong(column, { ...damaged, found: blob === "" ? "nothing" : shownLength(blob), expected: "base64, as in the .pub file" });
  const damage = publicBlobFault(type, bytes);
  if (damage !== undefined)
    return wrong(column, { ...damaged, found: `a key that ${damage}`, expected: `the whole key of type ${type}, as in the .pub file` });
  return { options, type, blob, comment: comment.join(" ") };
}

/** As sshd does it: a line begins with the key's type. If not, it begins with options, with blanks only between double quotes. */
function splitLine(text: string, start: number): { readonly options: readonly string[]; readonly at: number } {
  const [first = "", blanks = ""] = /^((?:[^\s"]|"[^"]*")+)(\s+)/.exec(text.slice(start))?.slice(1) ?? [];
  const at = start + first.length + blanks.length;
  const [second = ""] = text.slice(at).split(/\s/);
  const isBehindOptions = PUBLIC_KEY_TYPES.includes(second) && !PUBLIC_KEY_TYPES.includes(first);
  return isBehindOptions ? { options: splitOptions(first), at } : { options: [], at: start };
}
