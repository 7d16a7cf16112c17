import { createHash } from "node:crypto";
import { z } from "../../base/small-schema.ts";
import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

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

/** Between a load and a look at what it made, somebody else may change the rules. How often a ruleset is loaded until nobody did. */
const LOADS = 4;
/** Bytes. nft(8), --echo, tells of each element of a set in a line of its own: several times of what a listing takes. */
const MOST_ECHOED = 32 * 1024 * 1024;

/**
 * The same, and sees to it that exactly this is in force, and nothing that somebody else has added or taken away meanwhile. That is known by
 * the kernel's handles, which nft names as it loads (nft(8), --echo). A file that takes back a part of what it makes cannot be told from one
 * that somebody interferes with, but it does the same each time: what comes out twice is believed. Elements of sets have no handles: one that
 * somebody adds in that moment is not told from the file's.
 *
 * @param options `text`: whether the ruleset is wanted as a file that can be loaded again, as the kernel shows it, without what was counted
 * @returns the digest of the ruleset
 * @throws ProblemError as above, or when somebody changes the rules again and again
 */
export async function loadExactly(
  host: Host,
  file: string,
  content: string,
  options: { readonly text: boolean },
): Promise<{ readonly digest: string; readonly text?: string }> {
  const digests = new Set<string>();
  for (let load = 0; load < LOADS; load += 1) {
    const made = objectsMade(await run(host, ["-e", "-a", "-f", "-"], file, content));
    const more = options.text ? { text: await rulesetText(host) } : {};
    const listing = await rulesetJson(host);
    const digest = digestOf(listing);
    if (digests.has(digest) || made.symmetricDifference(objectsIn(listing)).size === 0) return { digest, ...more };
    digests.add(digest);
  }
  // No place in the file: nothing is wrong with it.
  throw new ProblemError({
    code: "firewall-changed-meanwhile",
    what: "somebody else changes the firewall's rules while they are loaded",
    found: `${LOADS} times other rules than those of ${file}`,
    todo: "find out what calls nft on this node, and stop it: nft monitor",
  });
}

/** By standard input and not by name: what was read and compared is then what is loaded, whoever writes to the file meanwhile. */
async function run(host: Host, args: readonly string[], file: string, content: string): Promise<string> {
  const input = `${FLUSH}${content}\n`;
  try {
    return (await host.run({ program: "nft", args, input, timeout: TIMEOUT, maxOutput: MOST_ECHOED })).stdout;
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
    code: "ruleset-not-valid",
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
  return digestOf(await rulesetJson(host));
}

/** In the JSON of libnftables-json(5). */
async function rulesetJson(host: Host): Promise<string> {
  return (await host.run({ program: "nft", args: ["-j", "list", "ruleset"], timeout: TIMEOUT })).stdout;
}

/** For the next load, without what was counted (nft(8), --stateless). */
async function rulesetText(host: Host): Promise<string> {
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

const Handled = { ...Place, handle: z.number() };
const Objects = z.object({
  nftables: z.array(
    z.looseObject({
      table: z.optional(z.looseObject({ family: z.string(), name: z.string(), handle: z.number() })),
      chain: z.optional(z.looseObject({ ...Handled, name: z.string() })),
      rule: z.optional(z.looseObject({ ...Handled, chain: z.string() })),
    }),
  ),
});

/** Tables, chains and rules of a listing, each by all that names it, its handle included. */
function objectsIn(json: string): ReadonlySet<string> {
  const found = Objects.parse(JSON.parse(json)).nftables.flatMap(({ table, chain, rule }) => [
    ...(table === undefined ? [] : [`table ${table.family} ${table.name} ${table.handle}`]),
    ...(chain === undefined ? [] : [`chain ${chain.family} ${chain.table} ${chain.name} ${chain.handle}`]),
    ...(rule === undefined ? [] : [`rule ${rule.family} ${rule.table} ${rule.chain} ${rule.handle}`]),
  ]);
  return new Set(found);
}

/**
 * The same of what nft says that it made, as "add rule inet filter input tcp dport 22 accept # handle 5". Of tables of one name the last:
 * a file may begin by making one, in order to delete it.
 */
function objectsMade(echo: string): ReadonlySet<string> {
  const tables = new Map<string, string>();
  const others = new Set<string>();
  for (const line of echo.split("\n")) {
    const [, kind, family, table, name, handle] =
      /^(?:add|insert|create|replace) (table|chain|rule) (\S+) (\S+)(?: (\S+))?.*# handle (\d+)\s*$/.exec(line) ?? [];
    if (kind === "table") tables.set(`${family} ${table}`, `table ${family} ${table} ${handle}`);
    else if (kind !== undefined) others.add(`${kind} ${family} ${table} ${name} ${handle}`);
  }
  return others.union(new Set(tables.values()));
}

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
