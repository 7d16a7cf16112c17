import { createHash } from "node:crypto";
import * as z from "../../base/schema.ts";
import { CommandError, endingText } from "../command.ts";
import { CONFINED_RULESET, confinedNft } from "./confined-nft.ts";
import type { Host } from "../host.ts";
import { parseNftError, type Ruleset } from "./nft-errors.ts";
import { ProblemError } from "../../base/problem.ts";

/** nft resolves names in a ruleset while it reads it, so a lost name server must not hold up the boot. */
const TIMEOUT = 30_000;

/**
 * Flushed and filled in one transaction: no packet ever meets half a ruleset, or none. The loaded rules are then exactly those of the file,
 * even if it does not flush by itself. On the first line, so that line numbers stay the file's.
 */
const FLUSH = "flush ruleset; ";

/**
 * Checks that the kernel would accept the ruleset. Changes nothing.
 *
 * @throws ProblemError with file, line and column of the first mistake; retryable where that may pass by itself
 */
export async function checkRuleset(host: Host, ruleset: Ruleset): Promise<void> {
  await run(host, ["-c"], ruleset);
}

/** Replaces the ruleset in force; on any error the previous one stays. @throws ProblemError as `checkRuleset` does */
export async function loadRuleset(host: Host, ruleset: Ruleset): Promise<void> {
  await run(host, [], ruleset);
}

/** How often a ruleset is loaded until no other process interferes: one may change the rules between a load and its inspection. */
const LOADS = 4;
/** Bytes. nft(8), --echo, prints each element of a set on a line of its own: several times the size of a listing. */
const MOST_ECHOED = 32 * 1024 * 1024;

/**
 * As `loadRuleset`, and makes sure that exactly this ruleset is in force, without changes that another process made meanwhile. The kernel's
 * handles, which nft names as it loads (nft(8), --echo), show that. A file that removes a part of what it makes looks the same as
 * interference, but does so each time. So a result that occurs twice is accepted. Elements of sets have no handles: an element that another
 * process adds at that moment is not distinguished from the file's.
 *
 * @param options `text`: whether to return the ruleset as a file that can be loaded again, as the kernel shows it, without counters
 * @returns the digest of the ruleset
 * @throws ProblemError as `checkRuleset` does, or when another process keeps changing the rules
 */
export async function loadExactly(
  host: Host,
  ruleset: Ruleset,
  options: { readonly text: boolean },
): Promise<{ readonly digest: string; readonly text?: string }> {
  const digests = new Set<string>();
  for (let load = 0; load < LOADS; load += 1) {
    const made = objectsMade(await run(host, ["-e", "-a"], ruleset));
    const more = options.text ? { text: await rulesetText(host) } : {};
    const listing = await rulesetJson(host);
    const digest = digestOf(listing);
    if (digests.has(digest) || made.symmetricDifference(objectsIn(listing)).size === 0) return { digest, ...more };
    digests.add(digest);
  }
  // Without a place in the file, because the file is not at fault.
  throw new ProblemError({
    code: "firewall-changed-meanwhile",
    what: "someone else changes the firewall's rules while they are loaded",
    found: `${LOADS} times other rules than those of ${ruleset.file}`,
    todo: "find out what calls nft on this node, and stop it: nft monitor",
  });
}

/** By standard input and not by name: so the content that was read and compared is loaded, even if the file changes meanwhile. */
async function run(host: Host, args: readonly string[], ruleset: Ruleset): Promise<string> {
  const nft = ruleset.foreign ? await confined(host, args, ruleset) : { program: "nft", args: [...args, "-f", "-"] };
  const input = `${FLUSH}${ruleset.content}\n`;
  try {
    return (await host.run({ ...nft, input, timeout: TIMEOUT, maxOutput: MOST_ECHOED })).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { ending, stderr } = error;
    const bwrapFailed = ["not-found", "not-started"].includes(ending.kind) || /^bwrap: /m.test(stderr);
    if (ruleset.foreign && bwrapFailed) throw notConfined(ruleset, error);
    const shown = { name: ruleset.foreign ? CONFINED_RULESET : "/dev/stdin", before: FLUSH.length };
    const mistake = ending.kind === "exited" ? parseNftError(stderr, ruleset, shown) : undefined;
    if (mistake !== undefined) throw mistake;
    // Only a time-out is retryable: nft waits for each name server. The operator gets the plain command, without the long arguments of
    // bwrap.
    const command = { ...error.command, program: "nft", args: [...args, "-f", ruleset.foreign ? ruleset.file : "-"] };
    throw new CommandError(command, ending, stderr, { retryable: ending.kind === "timed-out" });
  }
}

async function confined(host: Host, args: readonly string[], ruleset: Ruleset): ReturnType<typeof confinedNft> {
  try {
    return await confinedNft(host, args);
  } catch (error) {
    throw error instanceof CommandError ? notConfined(ruleset, error) : error;
  }
}

/** nft does not run without its confinement. Without a place in the file, because the file is not at fault. */
function notConfined({ file }: Ruleset, cause: CommandError): ProblemError {
  const { what, found } = cause.problem;
  const tool = cause.command.program;
  return new ProblemError(
    {
      code: "nft-not-confined",
      what: "nft cannot be kept from reading other files than an injected ruleset; the rules in force stay",
      found: cause.ending.kind === "exited" ? `${tool}: ${found ?? what}` : `${tool} ${endingText(cause.ending)}`,
      expected: `bwrap (of bubblewrap) and ldd, to run nft with nothing but ${file}`,
      todo: "see what docs/image.md says an image needs; then: guestos-boot --unit nftables",
    },
    { cause },
  );
}

/**
 * A digest of the ruleset in force. Two digests are equal when the rules are, whatever the counters and the order in which the kernel
 * numbered the rules.
 */
export async function rulesetDigest(host: Host): Promise<string> {
  return digestOf(await rulesetJson(host));
}

/** In the JSON of libnftables-json(5). */
async function rulesetJson(host: Host): Promise<string> {
  return (await host.run({ program: "nft", args: ["-j", "list", "ruleset"], timeout: TIMEOUT })).stdout;
}

/** The ruleset as a file for the next load, without counters (nft(8), --stateless). */
async function rulesetText(host: Host): Promise<string> {
  return (await host.run({ program: "nft", args: ["--stateless", "list", "ruleset"], timeout: TIMEOUT })).stdout;
}

/**
 * The digest of a listing in the JSON of libnftables-json(5). Handles, versions, counters, and elements that packets add to sets are left
 * out.
 */
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

/** Tables, chains and rules of a listing. Each is identified by all its names and its handle. */
function objectsIn(json: string): ReadonlySet<string> {
  const found = Objects.parse(JSON.parse(json)).nftables.flatMap(({ table, chain, rule }) => [
    ...(table === undefined ? [] : [`table ${table.family} ${table.name} ${table.handle}`]),
    ...(chain === undefined ? [] : [`chain ${chain.family} ${chain.table} ${chain.name} ${chain.handle}`]),
    ...(rule === undefined ? [] : [`rule ${rule.family} ${rule.table} ${rule.chain} ${rule.handle}`]),
  ]);
  return new Set(found);
}

/**
 * The same, from nft's echo of what it made, as "add rule inet filter input tcp dport 22 accept # handle 5". Of several tables of one name
 * the last counts: a file may begin by making one, in order to delete it.
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
 * The sets to which a rule's statements add elements, as "@name". nft 1.0 leaves the flag `dynamic` out of its JSON, but such a set is only
 * useful where a rule writes to it.
 */
function setsWritten(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(setsWritten);
  // nft 1.0 writes statements without a JSON form as text: "update @seen { ip6 saddr : 0x1 }".
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
