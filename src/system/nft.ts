import { createHash } from "node:crypto";
import { CommandError } from "./command.ts";
import type { Host } from "./host.ts";
import { ProblemError } from "./problem.ts";

/** Names in a ruleset are resolved while it is read, so a lost name server must not hold up the boot. */
const TIMEOUT = 30_000;

/**
 * Emptied and filled in one transaction, so that no packet ever meets half a ruleset, or none, and what is loaded is
 * exactly the file, also when that does not flush by itself. On the first line, so that line numbers stay the file's.
 */
const FLUSH = "flush ruleset; ";

/** Whether the kernel would take the ruleset. Changes nothing. @throws ProblemError with file, line and column of the first mistake */
export async function checkRuleset(host: Host, file: string, content: string): Promise<void> {
  await run(host, ["-c", "-f", "-"], file, content);
}

/** Puts the ruleset in force in place of the one before; on any error that one stays. @throws ProblemError as above */
export async function loadRuleset(host: Host, file: string, content: string): Promise<void> {
  await run(host, ["-f", "-"], file, content);
}

/** By standard input and not by name: what was read and compared is then what is loaded, whoever writes to the file meanwhile. */
async function run(host: Host, args: readonly string[], file: string, content: string): Promise<void> {
  try {
    await host.run({ program: "nft", args, input: `${FLUSH}${content}\n`, timeout: TIMEOUT });
  } catch (error) {
    if (!(error instanceof CommandError) || error.ending.kind !== "exited") throw error;
    throw parseNftError(error.stderr, file, content) ?? error;
  }
}

/** The first mistake that nft names, as "/dev/stdin:5:14-17: Error: …"; `undefined` when it names none. */
export function parseNftError(stderr: string, file: string, content: string): ProblemError | undefined {
  const errors = [...stderr.matchAll(/^(?<name>\/\S*):(?<line>\d+):(?<from>\d+)(?:-(?<to>\d+))?: Error: (?<words>.*)$/gm)];
  const first = errors[0]?.groups;
  if (first === undefined) return undefined;
  const isOurs = first["name"] === "/dev/stdin";
  const line = Number(first["line"]);
  const shift = isOurs && line === 1 ? FLUSH.length : 0;
  const column = Math.max(1, Number(first["from"]) - shift);
  const end = Number(first["to"] ?? first["from"]) - shift;
  const text = isOurs
    ? content
        .split("\n")
        [line - 1]?.slice(column - 1, end)
        .trim()
    : undefined;
  const [words = "", expected] = (first["words"] ?? "").split(", expecting ");
  const more = errors.length === 1 ? "" : ` (the first of ${errors.length} mistakes)`;
  return new ProblemError({
    what: `the ruleset is not valid${more}`,
    where: { file: isOurs ? file : (first["name"] ?? file), line, column },
    found: text === undefined || text === "" ? words : `"${text}": ${words}`,
    ...(expected === undefined ? {} : { expected }),
    todo: `correct it, then: nft -c -f ${file}`,
  });
}

/**
 * A digest of the ruleset in force. Two are equal when the rules are, whatever has been counted since and in which
 * order the kernel numbered them.
 */
export async function rulesetDigest(host: Host): Promise<string> {
  const { stdout } = await host.run({ program: "nft", args: ["-j", "list", "ruleset"], timeout: TIMEOUT });
  return digestOf(stdout);
}

/** Of the JSON of libnftables-json(5): without handles, versions, counts, and what packets have put into dynamic sets. */
export function digestOf(json: string): string {
  const parsed: unknown = JSON.parse(json);
  return createHash("sha256")
    .update(JSON.stringify(withoutRunningState(parsed)))
    .digest("hex");
}

const RUNNING_STATE = new Set(["metainfo", "handle", "packets", "bytes", "used", "last", "expires"]);

function withoutRunningState(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRunningState);
  if (typeof value !== "object" || value === null) return value;
  const isDynamic = "flags" in value && Array.isArray(value.flags) && value.flags.includes("dynamic");
  const kept = Object.entries(value).filter(([key]) => !RUNNING_STATE.has(key) && !(isDynamic && key === "elem"));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutRunningState(inner)]));
}
