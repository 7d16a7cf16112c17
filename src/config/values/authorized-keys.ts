import { type Finding, refuseFindings } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";
import { textLines, type TextLine } from "../text/text-lines.ts";

/** A line of an authorized_keys file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). */
export interface AuthorizedKey {
  /** Options that only take away; empty when there are none. */
  readonly options: string;
  readonly type: string;
  /** The public key in base64. */
  readonly blob: string;
  readonly comment: string;
}

/** Per type, how many fields follow the type's name in the blob (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f). */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["ssh-ed25519", 1],
  ["ssh-rsa", 2],
  ["ecdsa-sha2-nistp256", 2],
  ["ecdsa-sha2-nistp384", 2],
  ["ecdsa-sha2-nistp521", 2],
  ["sk-ssh-ed25519@openssh.com", 2],
  ["sk-ecdsa-sha2-nistp256@openssh.com", 3],
]);

/**
 * Only what narrows a key down. What makes it do more than log in (command=, environment=, tunnel=, cert-authority,
 * permitopen=, …) is refused: it would run or open something on the node in an operator's name, without the operator seeing it.
 */
const NARROWING =
  /^(restrict|no-(agent-forwarding|port-forwarding|pty|user-rc|x11-forwarding)|from="[A-Za-z0-9.:*?!/,_-]+"|expiry-time="\d{8}(\d{4}(\d{2})?)?Z?")$/i;

/**
 * Reads an authorized_keys file; blank lines and comments are skipped.
 *
 * @throws ProblemError naming every line that is no public key, with its place
 */
export function parseAuthorizedKeys(content: Uint8Array, file: string): readonly AuthorizedKey[] {
  const { lines, findings } = textLines(content, file, { tabs: true });
  const keys: AuthorizedKey[] = [];
  const bad = [...findings];
  for (const line of lines) {
    if (line.text.trim() === "" || line.text.trimStart().startsWith("#")) continue;
    const key = parseLine(line);
    if ("what" in key) bad.push(key);
    else keys.push(key);
  }
  refuseFindings(file, bad);
  return keys;
}

function parseLine({ text, number: line }: TextLine): AuthorizedKey | Finding {
  const wrong = (column: number, what: string, found: string, expected: string): Finding => ({
    line,
    column: column + 1,
    what,
    found,
    expected,
  });
  const start = text.length - text.trimStart().length;
  const { options, at } = splitLine(text, start);
  const bad = splitOptions(options).find((option) => !NARROWING.test(option));
  if (bad !== undefined)
    return wrong(
      start,
      "an option of a key is not allowed",
      quoted(bad),
      'options that only restrict: restrict, no-…, from="…", expiry-time="…"',
    );
  const [type = "", blob = "", ...comment] = text.slice(at).trim().split(/\s+/);
  const fields = TYPES.get(type);
  if (fields === undefined) return wrong(at, "a line is no public key", quoted(type), `a key type: ${[...TYPES.keys()].join(", ")}`);
  const column = text.indexOf(blob, at + type.length);
  const bytes = Buffer.from(blob, "base64");
  if (blob === "" || bytes.toString("base64") !== blob)
    return wrong(column, `the key of type ${type} is damaged`, blob === "" ? "nothing" : quoted(blob), "base64, as in the .pub file");
  const strings = splitStrings(bytes);
  if (strings === undefined || strings.length !== fields + 1)
    return wrong(
      column,
      `the key of type ${type} is damaged`,
      `${bytes.length} bytes that do not add up`,
      "the whole key, as in the .pub file",
    );
  const inner = strings[0]?.toString("latin1") ?? "";
  if (inner !== type) return wrong(column, "a key is of another type than its line says", quoted(inner), type);
  return { options, type, blob, comment: comment.join(" ") };
}

/** As sshd does it: a line begins with the key's type; if not, what it begins with are options, with blanks only between double quotes. */
function splitLine(text: string, start: number): { readonly options: string; readonly at: number } {
  const [first = "", blanks = ""] = /^((?:[^\s"]|"[^"]*")+)(\s+)/.exec(text.slice(start))?.slice(1) ?? [];
  const at = start + first.length + blanks.length;
  const [second = ""] = text.slice(at).split(/\s/);
  return TYPES.has(second) && !TYPES.has(first) ? { options: first, at } : { options: "", at: start };
}

function splitOptions(options: string): readonly string[] {
  return options.match(/(?:[^,"]|"[^"]*")+/g) ?? [];
}

/** The length-prefixed strings of a blob (RFC 4251, section 5), or `undefined` when they do not fill it exactly. */
function splitStrings(bytes: Buffer): readonly Buffer[] | undefined {
  const strings: Buffer[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (offset + 4 > bytes.length) return undefined;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return strings;
}
