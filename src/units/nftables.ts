import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { activate, conflict } from "../boot/unit.ts";
import { checkRuleset, loadRuleset, rulesetDigest } from "../system/nft.ts";
import type { Problem } from "../system/problem.ts";
import { type Machine, unit } from "./machine.ts";

/**
 * Afterwards the rules in force are those of the ruleset file, all of them and no others.
 *
 * Late, and independent of everything: nftables.service has loaded the image's default ruleset long before, so that no
 * packet ever met an open node. Degrades, and never opens: a file that is broken, or that would filter nothing, leaves the
 * rules in force as they are. A conflict means that there is no ruleset file at all, or that the file may not be used as it
 * stands.
 */
export const nftables = unit({
  name: "nftables",
  title: "Load the firewall ruleset",
  stage: "late",
  onFailure: "degrade",
  async plan(machine) {
    const { host, layout } = machine;
    const ruleset = await firstRuleset(machine);
    if (ruleset === undefined) {
      return conflict({
        what: "there is no firewall ruleset; the rules in force stay",
        found: "none of the files",
        expected: layout.rulesets.join(" or "),
      });
    }
    const { file, content } = ruleset;
    const flaw = flawOf(ruleset, layout.mountPoints.config);
    if (flaw !== undefined) return conflict(flaw);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const loaded = await readState(machine);
    if (loaded?.file === file && loaded.sha256 === sha256 && loaded.ruleset === (await rulesetDigest(host))) return [];
    await checkRuleset(host, file, content);
    return [
      activate(`load ${file} into the kernel's packet filter`, async () => {
        await loadRuleset(host, file, content);
        const state: State = { file, sha256, ruleset: await rulesetDigest(host) };
        await host.makeFolder(layout.run, { mode: 0o755 });
        await host.writeFile(statePath(machine), `${JSON.stringify(state)}\n`, { mode: 0o644 });
      }),
    ];
  },
});

/**
 * What was loaded last, from which file. The kernel shows rules as it understands them and not as they were written, so
 * the file cannot be compared with them; but rules that somebody has changed since no longer have the same digest.
 */
const State = z.object({ file: z.string(), sha256: z.string(), ruleset: z.string() });
type State = z.infer<typeof State>;

function statePath({ layout }: Machine): string {
  return join(layout.run, "nftables.json");
}

/** `undefined` when nothing was loaded, or not by us, or the note is damaged: then it is loaded again, which does no harm. */
async function readState(machine: Machine): Promise<State | undefined> {
  const text = await machine.host.readText(statePath(machine));
  if (text === undefined) return undefined;
  try {
    return State.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

interface Ruleset {
  readonly file: string;
  readonly content: string;
}

async function firstRuleset({ host, layout }: Machine): Promise<Ruleset | undefined> {
  for (const file of layout.rulesets) {
    const content = await host.readText(file);
    if (content !== undefined) return { file, content };
  }
  return undefined;
}

/**
 * What nft itself does not mind and we do.
 *
 * An empty file is a valid ruleset that lets everything in: a file cut short by a power failure must not open the node.
 * And the file on the config partition comes from outside: nft prints lines of what a file includes when it cannot parse
 * them, so `include "/boot/config/store.keyfile"` would put a key into the log.
 */
function flawOf({ file, content }: Ruleset, untrusted: string): Problem | undefined {
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
