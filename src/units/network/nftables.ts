import { createHash } from "node:crypto";
import { activate, conflict } from "../../boot/unit.ts";
import { type LoadedRuleset, readLoadedRuleset } from "../../config/state/loaded-ruleset.ts";
import { checkRuleset, loadExactly, loadRuleset, rulesetDigest } from "../../system/network/nft.ts";
import type { Ruleset } from "../../system/network/nft-errors.ts";
import { type IncludedFile, includesIn } from "../../system/network/nft-includes.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { type Machine, unit } from "../machine.ts";
import { includesOf, isForeign, rulesetIn } from "./watch-ruleset.ts";
import { isBusRunning } from "../../system/systemd/systemd.ts";
import { configInjection } from "../injection/config-injection.ts";
import { systemBus } from "../services/system-bus.ts";
import { networkApplied } from "./network.ts";

/**
 * Afterwards the rules in force are those of the ruleset file, all of them and no others.
 *
 * It comes after the injected configuration, which may bring a ruleset, and waits for no disk and no bus. It does not require that
 * configuration: a node without it still has the image's ruleset. nftables.service has loaded that before the chain starts
 * (etc/common/systemd/system/guestos-boot.service), so the node was never open to a packet.
 *
 * Name servers are asked by systemd-resolved, which starts after this half of the boot. So a ruleset that names a host or an interface that
 * is not there yet is left to the unit `nftables-names` while there is no bus.
 *
 * If it fails, the boot is degraded, but the node is never opened. The rules in force stay if the file is broken, would filter nothing,
 * or names an interface or host that does not exist so far. A conflict means that there is no ruleset file, or that it filters nothing.
 */
export const nftables = unit({
  name: "nftables",
  title: "Load the firewall ruleset",
  after: [configInjection],
  owns: ["/run/guestos-boot/ruleset.nft", "/run/guestos-boot/nftables.json"],
  onFailure: "degrade",
  // Interfaces and name servers may come up while this unit runs. The last try waits for name servers as long as the first one.
  timeout: 120_000,
  retryFor: 30_000,
  // Loading is one transaction, and a faulty file changes nothing.
  repairs: true,
  async plan(machine) {
    const { host, layout } = machine;
    const noted = await readLoadedRuleset(host, layout);
    const ruleset = await rulesetIn(machine);
    const { files: included } = await includesOf(machine, ruleset);
    const sha256 = digestOf(ruleset?.content ?? "", included);
    const isNoted = noted?.file === ruleset?.file && noted?.sha256 === sha256;
    if (isNoted && noted?.ruleset === LEFT && !(await isBusRunning(host))) return [];
    const loaded = noted?.ruleset === LEFT ? undefined : noted;
    if (isNoted && loaded !== undefined && loaded.ruleset === (machine.freshRules.take() ?? (await rulesetDigest(host)))) return [];
    // Before the first load of a boot there is no dry run: a load names the mistake as well, and takes all of a file or nothing.
    const flaw = await flawIn(machine, ruleset, { dry: loaded !== undefined });
    if (flaw === undefined && ruleset !== undefined) {
      return [
        activate(`load ${ruleset.file} into the kernel's packet filter`, async () => {
          const from = { file: ruleset.file, sha256 };
          // A ruleset with includes is kept as the kernel shows it: the included files may have changed when it is needed again.
          const rules = await load(machine, from, ruleset, { before: loaded, text: included.length > 0 });
          if (rules !== undefined) await note(machine, { ...from, ruleset: rules.digest }, rules.text ?? ruleset.content);
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

/**
 * Afterwards a ruleset that `nftables` had to leave, because it names a host or an interface that was not there, is in force too.
 *
 * It comes after the bus, because systemd starts that once it may also start systemd-resolved, and after the network, over which name servers
 * are asked. Where nothing was left, it runs no tool.
 */
export const nftablesNames = unit({
  name: "nftables-names",
  title: "Load a firewall ruleset whose names had to wait",
  // Not required: each of them may be switched off.
  after: [nftables, systemBus, networkApplied],
  onFailure: "degrade",
  timeout: nftables.timeout,
  // The end of the boot waits for this unit, and the monitor goes on trying: a name that never comes must not hold up each boot for long.
  retryFor: 10_000,
  async plan(machine) {
    const loaded = await readLoadedRuleset(machine.host, machine.layout);
    return loaded?.ruleset === LEFT ? nftables.plan(machine) : [];
  },
});

const NO_RULESET: Problem = {
  code: "no-firewall-ruleset",
  what: "there is no firewall ruleset; the rules in force stay",
  found: "none of the files",
};

/**
 * A file that was not loaded is recorded too, if nothing was loaded before. After a refusal the next plan has nft check it, and reports the
 * mistake. A file that names what is not there yet is loaded the next time, without a check: before the bus, by the unit `nftables-names`.
 *
 * @returns `undefined` where the ruleset is left to that unit
 */
async function load(
  machine: Machine,
  from: Pick<LoadedRuleset, "file" | "sha256">,
  ruleset: Ruleset,
  { before, text }: { readonly before: LoadedRuleset | undefined; readonly text: boolean },
): Promise<Awaited<ReturnType<typeof loadExactly>> | undefined> {
  const { host, layout } = machine;
  try {
    return await loadExactly(host, ruleset, { text });
  } catch (error) {
    if (before !== undefined || !(error instanceof ProblemError)) throw error;
    if (!error.retryable && error.problem.where === undefined) throw error;
    const noted: LoadedRuleset = { ...from, ruleset: error.retryable ? LEFT : REFUSED };
    await host.makeFolder(layout.run, { mode: 0o755 });
    await host.writeFile(layout.runFiles.loadedRuleset, `${JSON.stringify(noted)}\n`, { mode: 0o644 });
    if (!error.retryable || (await isBusRunning(host))) throw error;
    machine.note(`${error.problem.what}; it is tried again once names can be resolved`);
    return undefined;
  }
}

/** In place of the digest of rules that were never in force. */
const REFUSED = "refused";
/** The same, of rules that name what is not there yet. */
const LEFT = "left";

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
