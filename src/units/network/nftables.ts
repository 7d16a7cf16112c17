import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Infer, z } from "../../base/small-schema.ts";
import { activate, conflict } from "../../boot/unit.ts";
import type { Layout } from "../../config/layout/layout.ts";
import type { Host } from "../../system/host.ts";
import { checkRuleset, loadExactly, loadRuleset, rulesetDigest } from "../../system/network/nft.ts";
import { type IncludedFile, readIncludes } from "../../system/network/nft-includes.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { type Machine, unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { rulesetIn } from "./watch-ruleset.ts";

/**
 * Afterwards the rules in force are those of the ruleset file, all of them and no others.
 *
 * Requires nothing. nftables.service has loaded the image's default ruleset long before, so that no packet ever met an open
 * node; that it has ended is known once the bus answers (etc/systemd/system/nftables.service.d). Degrades, and never opens: a file that is broken, or that would filter nothing, leaves the
 * rules in force as they are. A conflict means that there is no ruleset file at all, or that the file may not be used as it
 * stands.
 */
export const nftables = unit({
  name: "nftables",
  title: "Load the firewall ruleset",
  after: [systemBus],
  onFailure: "degrade",
  // Loading is one transaction, and a file that is not sound changes nothing.
  mends: true,
  async plan(machine) {
    const { host } = machine;
    const loaded = await readState(machine);
    const ruleset = await rulesetIn(machine);
    const included = ruleset === undefined ? [] : (await readIncludes(host, ruleset.content)).files;
    const sha256 = digestOf(ruleset?.content ?? "", included);
    const isLoaded = loaded?.file === ruleset?.file && loaded?.sha256 === sha256;
    if (isLoaded && loaded?.ruleset === (machine.freshRules.take() ?? (await rulesetDigest(host)))) return [];
    // What was never tried in this boot is tried at once: nft takes all of a file or nothing of it, and names the mistake just so.
    const flaw = await flawIn(machine, ruleset, { dry: loaded !== undefined });
    if (flaw === undefined && ruleset !== undefined) {
      return [
        activate(`load ${ruleset.file} into the kernel's packet filter`, async () => {
          const from = { file: ruleset.file, sha256 };
          // What includes others is kept as the kernel shows it, and not as a file that reads differently another time.
          const { digest, text = ruleset.content } = await load(machine, from, ruleset.content, {
            before: loaded,
            text: included.length > 0,
          });
          await note(machine, { ...from, ruleset: digest }, text);
        }),
      ];
    }
    // Nothing fails open: what cannot come from the file comes from what it was, when somebody takes the rules away.
    const kept = await host.readText(keptPath(machine));
    if (kept !== undefined && loaded !== undefined && loaded.ruleset !== (await rulesetDigest(host))) {
      return [activate(`put back the rules that were loaded last, from ${loaded.file}`, () => loadRuleset(host, loaded.file, kept))];
    }
    if (flaw instanceof ProblemError) throw flaw;
    return conflict(flaw ?? NO_RULESET);
  },
});

const NO_RULESET: Problem = { what: "there is no firewall ruleset; the rules in force stay", found: "none of the files" };

/** A file that is refused is noted too, where nothing else was loaded: then a plan tells what is wrong with it. */
async function load(
  { host, layout }: Machine,
  from: Pick<State, "file" | "sha256">,
  content: string,
  { before, text }: { readonly before: State | undefined; readonly text: boolean },
): ReturnType<typeof loadExactly> {
  try {
    return await loadExactly(host, from.file, content, { text });
  } catch (error) {
    if (before === undefined && error instanceof ProblemError && error.problem.where !== undefined) {
      await host.makeFolder(layout.run, { mode: 0o755 });
      await host.writeFile(statePath({ layout }), `${JSON.stringify({ ...from, ruleset: REFUSED } satisfies State)}\n`, { mode: 0o644 });
    }
    throw error;
  }
}

/** Stands for the digest of rules that were never in force. */
const REFUSED = "refused";

/** Notes what was loaded just now. */
async function note(machine: Machine, what: Omit<State, "loaded">, kept: string): Promise<void> {
  const { host, layout } = machine;
  const state: State = { ...what, loaded: Math.round(Date.now() / 1000) };
  await host.makeFolder(layout.run, { mode: 0o755 });
  await host.writeFile(keptPath(machine), kept, { mode: 0o600 });
  await host.writeFile(statePath(machine), `${JSON.stringify(state)}\n`, { mode: 0o644 });
  machine.freshRules.remember(state.ruleset);
}

/** Why the ruleset may not be loaded; `dry`: also by nft's own check. @throws what only happened while looking */
async function flawIn(
  { host, layout }: Machine,
  ruleset: IncludedFile | undefined,
  { dry }: { readonly dry: boolean },
): Promise<Problem | ProblemError | undefined> {
  if (ruleset === undefined) return { ...NO_RULESET, expected: layout.rulesets.join(" or ") };
  const flaw = flawOf(ruleset, layout.mountPoints.config);
  if (flaw !== undefined || !dry) return flaw;
  try {
    await checkRuleset(host, ruleset.file, ruleset.content);
    return undefined;
  } catch (error) {
    // Where nft itself names the place it is the file, else the tool that failed.
    if (error instanceof ProblemError && error.problem.where !== undefined) return error;
    throw error;
  }
}

/**
 * What was loaded last, from which file. The kernel shows rules as it understands them and not as they were written, so
 * the file cannot be compared with them; but rules that somebody has changed since no longer have the same digest.
 */
const State = z.object({ file: z.string(), sha256: z.string(), ruleset: z.string(), loaded: z.optional(z.number()) });
type State = Infer<typeof State>;

function statePath({ layout }: Pick<Machine, "layout">): string {
  return join(layout.run, "nftables.json");
}

/** The rules themselves: the file may be gone, or broken, when they are needed again. */
function keptPath({ layout }: Pick<Machine, "layout">): string {
  return join(layout.run, "ruleset.nft");
}

/** `undefined` when nothing was loaded, or not by us, or the note is damaged: then it is loaded again, which does no harm. */
async function readState(machine: Pick<Machine, "host" | "layout">): Promise<State | undefined> {
  const text = await machine.host.readText(statePath(machine));
  if (text === undefined) return undefined;
  try {
    return State.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** When rules were last loaded from a file, in seconds since the epoch; `undefined` when that is not known. */
export async function rulesetLoaded(host: Host, layout: Layout): Promise<number | undefined> {
  return (await readState({ host, layout }))?.loaded;
}

/** Of the file and of all that it includes. */
function digestOf(content: string, included: readonly IncludedFile[]): string {
  const hash = createHash("sha256").update(content);
  for (const { file, content: more } of included) hash.update(`\n${file}\n${more}`);
  return hash.digest("hex");
}

/**
 * What nft itself does not mind and we do.
 *
 * An empty file is a valid ruleset that lets everything in: a file cut short by a power failure must not open the node.
 * And the file on the config partition comes from outside: nft prints lines of what a file includes when it cannot parse
 * them, so `include "/boot/config/store.keyfile"` would put a key into the log.
 */
function flawOf({ file, content }: IncludedFile, untrusted: string): Problem | undefined {
  const lines = content.split("\n").map((line) => line.replace(/#.*$/, ""));
  const include = lines.findIndex((line) => /\binclude\b/.test(line));
  if (include !== -1 && file.startsWith(`${untrusted}/`)) {
    return {
      what: "an injected ruleset may not include other files; the rules in force stay",
      where: { file, line: include + 1, column: (lines[include]?.search(/\binclude\b/) ?? 0) + 1 },
      found: "include",
      expected: "the whole ruleset in this file",
    };
  }
  if (include === -1 && !lines.some((line) => /\bhook\s+input\b/.test(line))) {
    return {
      what: "the ruleset filters nothing that comes in; the rules in force stay",
      where: { file },
      found: "no chain with 'hook input'",
      expected: "a chain of 'type filter hook input'",
    };
  }
  return undefined;
}
