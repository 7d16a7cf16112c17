import { createHash } from "node:crypto";
import { activate, conflict } from "../../boot/unit.ts";
import { type LoadedRuleset, readLoadedRuleset } from "../../config/state/loaded-ruleset.ts";
import { checkRuleset, loadExactly, loadRuleset, rulesetDigest } from "../../system/network/nft.ts";
import type { Ruleset } from "../../system/network/nft-errors.ts";
import { type IncludedFile, includesIn } from "../../system/network/nft-includes.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { type Machine, unit } from "../machine.ts";
import { includesOf, isForeign, rulesetIn } from "./watch-ruleset.ts";
import { systemBus } from "../services/system-bus.ts";

/**
 * Afterwards the rules in force are those of the ruleset file, all of them and no others.
 *
 * It requires nothing. nftables.service has loaded the image's default ruleset long before, so the node was never open to a packet.
 * That service has ended by the time the bus answers (etc/common/systemd/system/nftables.service.d), so this unit comes after the bus.
 *
 * If it fails, the boot is degraded, but the node is never opened. The rules in force stay if the file is broken, would filter nothing,
 * or names an interface or host that does not exist so far. A conflict means that there is no ruleset file, or that it filters nothing.
 */
export const nftables = unit({
  name: "nftables",
  title: "Load the firewall ruleset",
  after: [systemBus],
  onFailure: "degrade",
  // Interfaces and name servers may come up while this unit runs. The last try waits for name servers as long as the first one.
  timeout: 120_000,
  retryFor: 30_000,
  // Loading is one transaction, and a faulty file changes nothing.
  repairs: true,
  async plan(machine) {
    const { host, layout } = machine;
    const loaded = await readLoadedRuleset(host, layout);
    const ruleset = await rulesetIn(machine);
    const { files: included } = await includesOf(machine, ruleset);
    const sha256 = digestOf(ruleset?.content ?? "", included);
    const isLoaded = loaded?.file === ruleset?.file && loaded?.sha256 === sha256;
    if (isLoaded && loaded?.ruleset === (machine.freshRules.take() ?? (await rulesetDigest(host)))) return [];
    // Before the first load of a boot there is no dry run: a load names the mistake as well, and takes all of a file or nothing.
    const flaw = await flawIn(machine, ruleset, { dry: loaded !== undefined });
    if (flaw === undefined && ruleset !== undefined) {
      return [
        activate(`load ${ruleset.file} into the kernel's packet filter`, async () => {
          const from = { file: ruleset.file, sha256 };
          // A ruleset with includes is kept as the kernel shows it: the included files may have changed when it is needed again.
          const { digest, text = ruleset.content } = await load(machine, from, ruleset, {
            before: loaded,
            text: included.length > 0,
          });
          await note(machine, { ...from, ruleset: digest }, text);
        }),
      ];
    }
    // Nothing fails open: if the rules in force were changed and the file cannot be used, the rules that were loaded last are put back.
    const kept = await host.readText(layout.runFiles.rulesetCopy);
    if (kept !== undefined && loaded !== undefined && loaded.ruleset !== (await rulesetDigest(host))) {
      return [
        activate(`put back the rules that were loaded last, from ${loaded.file}`, () =>
          loadRuleset(host, { file: loaded.file, content: kept, foreign: isForeign(loaded.file, layout) }),
        ),
      ];
    }
    if (flaw instanceof ProblemError) throw flaw;
    return conflict(flaw ?? NO_RULESET);
  },
});

const NO_RULESET: Problem = {
  code: "no-firewall-ruleset",
  what: "there is no firewall ruleset; the rules in force stay",
  found: "none of the files",
};

/** A refused file is recorded too, if nothing was loaded before: the next plan then has nft check it, and reports the mistake. */
async function load(
  { host, layout }: Machine,
  from: Pick<LoadedRuleset, "file" | "sha256">,
  ruleset: Ruleset,
  { before, text }: { readonly before: LoadedRuleset | undefined; readonly text: boolean },
): ReturnType<typeof loadExactly> {
  try {
    return await loadExactly(host, ruleset, { text });
  } catch (error) {
    if (before === undefined && error instanceof ProblemError && error.problem.where !== undefined) {
      await host.makeFolder(layout.run, { mode: 0o755 });
      await host.writeFile(layout.runFiles.loadedRuleset, `${JSON.stringify({ ...from, ruleset: REFUSED } satisfies LoadedRuleset)}\n`, {
        mode: 0o644,
      });
    }
    throw error;
  }
}

/** In place of the digest of rules that were never in force. */
const REFUSED = "refused";

/** Records the ruleset that was just loaded. */
async function note(machine: Machine, what: Omit<LoadedRuleset, "loaded">, kept: string): Promise<void> {
  const { host, layout } = machine;
  const state: LoadedRuleset = { ...what, loaded: Math.round(Date.now() / 1000) };
  await host.makeFolder(layout.run, { mode: 0o755 });
  await host.writeFile(layout.runFiles.rulesetCopy, kept, { mode: 0o600 });
  await host.writeFile(layout.runFiles.loadedRuleset, `${JSON.stringify(state)}\n`, { mode: 0o644 });
  machine.freshRules.remember(state.ruleset);
}

/** @returns why the ruleset may not be loaded. @param dry whether nft checks it too. @throws errors of the check itself, not of the file */
async function flawIn(
  { host, layout }: Machine,
  ruleset: Ruleset | undefined,
  { dry }: { readonly dry: boolean },
): Promise<Problem | ProblemError | undefined> {
  if (ruleset === undefined) return { ...NO_RULESET, expected: layout.rulesets.join(" or ") };
  const flaw = flawOf(ruleset);
  if (flaw !== undefined || !dry) return flaw;
  try {
    await checkRuleset(host, ruleset);
    return undefined;
  } catch (error) {
    // If nft names a place, the mistake is in the file; if not, the check itself failed.
    if (error instanceof ProblemError && error.problem.where !== undefined) return error;
    throw error;
  }
}

/** Digest of the file and of all files that it includes. */
function digestOf(content: string, included: readonly IncludedFile[]): string {
  const hash = createHash("sha256").update(content);
  for (const { file, content: more } of included) hash.update(`\n${file}\n${more}`);
  return hash.digest("hex");
}

/**
 * A fault that nft accepts: an empty file is a valid ruleset that lets everything in. A file that was cut short by a power failure
 * must not open the node. The check is for such accidents alone: the author of a ruleset can let everything in anyway.
 */
function flawOf({ file, content, foreign }: Ruleset): Problem | undefined {
  const mayBeElsewhere = !foreign && includesIn(content).length > 0;
  const lines = content.split("\n").map((line) => line.replace(/#.*$/, ""));
  if (mayBeElsewhere || lines.some((line) => /\bhook\s+input\b/.test(line))) return undefined;
  return {
    code: "ruleset-filters-nothing",
    what: "the ruleset filters nothing that comes in; the rules in force stay",
    where: { file },
    found: "no chain with 'hook input'",
    expected: "a chain of 'type filter hook input'",
  };
}
