import type { FileFacts, Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";
import { Secret } from "../../base/secret.ts";

/** A field of a request, such as Authorization, whose value must stay secret. */
export interface RequestHeader {
  readonly name: string;
  readonly value: Secret;
}

/** Bytes. Servers accept no more than 8 to 16 KiB of header fields. */
const LARGEST = 16 * 1024;
/** Permissions of everyone but the owner. */
const OTHERS = 0o077;
/** Fields that the transfer sets itself, or that would change where a message ends or where it goes (RFC 9110, RFC 9112). */
const OURS =
  /^(?:accept-encoding|range|if-.*|host|connection|content-.*|transfer-encoding|expect|keep-alive|upgrade|te|trailer|proxy-.*)$/i;

/**
 * Header fields for a request, from a file of `Name: value` lines as for curl(1) (`--header @FILE`). Empty lines are ignored. No message
 * shows any part of a value.
 *
 * @throws ProblemError for a file that others can read, or that has an invalid line
 */
export async function readHeaderFile(host: Host, path: string): Promise<readonly RequestHeader[]> {
  requireOwn(path, await host.stat(path));
  const content = await host.readBytes(path);
  const lines = Buffer.from(content ?? [])
    .toString("latin1")
    .split("\n");
  const headers = lines.flatMap((line, index) => (line.trim() === "" ? [] : [headerOf(line.replace(/\r$/, ""), path, index + 1)]));
  if (headers.length > 0) return headers;
  throw new ProblemError({
    code: "header-file-empty",
    what: "there is no header in this file",
    where: { file: path },
    found: "nothing",
    expected: FORM,
  });
}

const FORM = "`Name: value`, such as `Authorization: Bearer TOKEN`";

function requireOwn(path: string, facts: FileFacts | undefined): void {
  const refuse = (found: string, expected: string, todo: string): ProblemError =>
    new ProblemError({
      code: "header-file-not-used",
      what: "this file of headers is not used",
      where: { file: path },
      found,
      expected,
      todo,
    });
  if (facts === undefined) throw refuse("nothing", "a file", "give the path of a file");
  if (facts.kind !== "file") throw refuse(`a ${facts.kind.replace("-", " ")}`, "a file", "give the path of the file itself");
  const { uid, mode, size } = facts;
  if (uid !== 0 && uid !== process.getuid?.()) throw refuse(`it belongs to user ${uid}`, "root or the caller", `chown root: ${path}`);
  if ((mode & OTHERS) !== 0) throw refuse(`mode ${mode.toString(8).padStart(4, "0")}`, "its owner alone can read it", `chmod 0600 ${path}`);
  if (size > LARGEST) throw refuse(`${size} bytes`, `at most ${LARGEST}`, "remove what is not a header");
}

/** RFC 9110, 5.1 and 5.5, without the bytes outside of ASCII that it calls obsolete. */
function headerOf(line: string, file: string, number: number): RequestHeader {
  const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/.exec(line) ?? [];
  const refuse = (found: string, expected: string): ProblemError =>
    new ProblemError({
      code: "header-line-not-usable",
      what: "this line of headers is not usable",
      where: { file, line: number },
      found,
      expected,
    });
  if (name === "") throw refuse("something else (not shown: it may be a secret)", `${FORM}, in ASCII`);
  if (OURS.test(name)) throw refuse(name, "a header that guestos-boot does not set itself");
  return { name, value: new Secret(Buffer.from(value), name.toLowerCase() === "authorization" ? partsOf(value) : []) };
}

/**
 * The parts that a server may repeat: the credentials without their scheme (RFC 9110, 11.6.2), and for Basic their decoded form (RFC 7617,
 * 2).
 */
function partsOf(value: string): readonly string[] {
  const [scheme = "", credentials = ""] = value.split(/[ \t]+/, 2);
  if (scheme.toLowerCase() !== "basic") return [credentials];
  const plain = Buffer.from(credentials, "base64").toString("utf8");
  return [credentials, plain, plain.slice(plain.indexOf(":") + 1)];
}
