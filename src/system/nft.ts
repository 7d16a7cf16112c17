import { createHash } from "node:crypto";
import { z } from "../config/small-schema.ts";
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

/** The ruleset in force as a file that can be loaded again, without what was counted (nft(8), --stateless). */
export async function rulesetText(host: Host): Promise<string> {
  return (await host.run({ program: "nft", args: ["--stateless", "list", "ruleset"], timeout: TIMEOUT })).stdout;
}

/** Of the JSON of libnftables-json(5): without handles, versions, counts, and what packets have put into sets. */
export function digestOf(json: string): string {
  const { nftables } = Listing.parse(JSON.parse(json));
  const learned = new Set(
    nftables.flatMap(({ rule }) =>
      rule === undefined ? [] : setsWritten(rule.expr).map((name) => `${rule.family} ${rule.table} ${name}`),
    ),
  );
  const rules = nftables.map((object) => {
    const set = object.set ?? object.map;
    if (set === undefined) return withoutRunningState(object);
    const changes =
      learned.has(`${set.family} ${set.table} @${set.name}`) ||
      [set.flags ?? []].flat().some((flag) => flag === "dynamic" || flag === "timeout");
    return withoutRunningState(changes ? { ...set, elem: [] } : object);
  });
  return createHash("sha256").update(JSON.stringify(rules)).digest("hex");
}

const Place = { family: z.string(), table: z.string() };
const NamedSet = z.looseObject({ ...Place, name: z.string(), flags: z.optional(z.union([z.string(), z.array(z.string())])) });
const Listing = z.object({
  nftables: z.array(
    z.looseObject({
      rule: z.optional(z.looseObject({ ...Place, expr: z._default(z.array(z.unknown()), []) })),
      set: z.optional(NamedSet),
      map: z.optional(NamedSet),
    }),
  ),
});

/**
 * The sets that a rule's statements add to, as "@name". nft 1.0 leaves the flag `dynamic` out of its JSON, but such a set
 * is only useful where a rule writes to it.
 */
function setsWritten(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(setsWritten);
  // What nft 1.0 has no JSON for, it writes as text: "update @seen { ip6 saddr : 0x1 }".
  if (typeof value === "string") return [...value.matchAll(/^(?:add|update) (@\S+)/g)].flatMap(([, name]) => name ?? []);
  if (typeof value !== "object" || value === null) return [];
  const own = "op" in value ? ["set" in value ? value.set : undefined, "map" in value ? value.map : undefined] : [];
  return [...own.filter((name) => typeof name === "string"), ...Object.values(value).flatMap(setsWritten)];
}

const RUNNING_STATE = new Set(["metainfo", "handle", "packets", "bytes", "used", "last", "expires"]);

function withoutRunningState(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRunningState);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !RUNNING_STATE.has(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutRunningState(inner)]));
}
