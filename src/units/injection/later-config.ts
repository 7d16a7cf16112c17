import { findingText } from "../../base/finding.ts";
import { type Action, type Plan, provision } from "../../boot/unit.ts";
import { type GuestosConfigFile, GUESTOS_CONFIG_BOUNDS, scanGuestosConfig } from "../../config/guestos-config.ts";
import { bootstrapLimits, type Inspection, inspectMedium, smallContent } from "../../medium/bootstrap-tar.ts";
import { configTarget, KEYS_FOLDER, topLevelEntries } from "../../medium/medium-contents.ts";
import { type Found, mediaDiffer, noMedium, type Search, searchMedia } from "../../medium/medium.ts";
import { type MediumSource, readerOf } from "../../medium/medium-source.ts";
import { whileDrivesCome } from "../../medium/pending-drive.ts";
import { oneLine, type Problem, ProblemError, toProblem } from "../../base/problem.ts";
import { isOwnSlot } from "../../upgrade/own-slot.ts";
import type { Machine } from "../machine.ts";
import { configInForce } from "./config-in-force.ts";
import { storeFile } from "./store-file.ts";

/** What a medium of a later boot brings; the rest of it was taken in once. */
interface Later {
  /** Without it: a medium of the old kind. */
  readonly config: GuestosConfigFile | undefined;
  /** All of a medium of the old kind, where the node had config.json at the last boot. */
  readonly old: Inspection | undefined;
}

/**
 * The plan for a node that is configured. Its host may hand over another config.json at each start, and that one counts. Keys and state are
 * taken in once, and are not touched here.
 *
 * A node whose host has always handed over the files of old is as it was: without config.json on a medium, nothing that lasts is done, and
 * only a drive that the kernel is bringing up is waited for. Otherwise the config.json of the last boot stays in force where this boot has
 * no medium, or none that can be read. The unit is then degraded: the node can be reached, and says what it lacks.
 *
 * Nothing is kept of a config.json for another VM than the node itself: the disk is the node's, too.
 */
export async function planLater(machine: Machine): Promise<Plan> {
  if (machine.layout.medium.guestosConfig === undefined) return [];
  const saved = await readSaved(machine);
  const answer = await search(machine, saved !== undefined);
  if ("problem" in answer) {
    const { problem } = answer;
    // Only the host can say what a VM beside the node is: to take it for the node would run the node twice.
    if (!(await isOwnSlot(machine.host, machine.layout))) throw new ProblemError(problem.problem, { retryable: problem.retryable });
    if (saved === undefined) {
      if (problem.problem.code !== "medium-not-found") machine.note(`the configuration medium is not used: ${oneLine(problem.problem)}`);
      return configInForce(machine, undefined);
    }
    const actions = await configInForce(machine, saved);
    if (actions.length > 0) return actions;
    throw problem;
  }
  if (answer.config !== undefined) return takeConfig(machine, answer.config, saved);
  return answer.old === undefined ? configInForce(machine, undefined) : changeBack(machine, answer.old);
}

/** The config.json of the last boot. One that is damaged counts as none: nothing of it could be in force. */
async function readSaved({ host, layout }: Machine): Promise<string | undefined> {
  const path = layout.config.injected.guestosConfig;
  const text = await host.readText(path);
  if (text === undefined) return undefined;
  try {
    scanGuestosConfig(Buffer.from(text), path);
    return text;
  } catch (error) {
    if (error instanceof ProblemError) return undefined;
    throw error;
  }
}

/** The one medium of this boot; a problem where there is none, or several that differ. */
async function search(machine: Machine, expected: boolean): Promise<Later | { readonly problem: ProblemError }> {
  const { host, layout } = machine;
  let result: Search<Later & { readonly sha256: string }>;
  try {
    result = await whileDrivesCome(machine, async () => searchMedia(host, layout, async (source) => readLater(machine, source, expected)));
  } catch (error) {
    host.signal.throwIfAborted();
    const problem = toProblem(error);
    // A drive that fails must not cost a configured node its network.
    if (problem.code === "defect") throw error;
    return { problem: kept(problem, error) };
  }
  const [first, ...others] = result.found;
  if (first === undefined) return { problem: noMedium(layout, result.seen, { rest: REST }) };
  const other = others.find(({ result: { sha256 } }) => sha256 !== first.result.sha256);
  return other === undefined || !expected
    ? preferred(result.found, first)
    : { problem: kept(mediaDiffer(`${first.device} and ${other.device}`)) };
}

const REST = "the configuration of the last boot stays in force";

function kept(problem: Problem, cause?: unknown): ProblemError {
  const retryable = cause instanceof ProblemError && cause.retryable;
  return new ProblemError({ ...problem, what: `${problem.what}; ${REST}` }, { partial: true, retryable, cause });
}

/** Of media that say the same, or on a node that has none in force, the one with config.json. */
function preferred(found: readonly Found<Later>[], first: Found<Later>): Later {
  return (found.find(({ result }) => result.config !== undefined) ?? first).result;
}

/** Reads the whole medium, by the rules of a first boot, and of its content only config.json. */
async function readLater(machine: Machine, source: MediumSource, hadConfig: boolean): Promise<Later & { readonly sha256: string }> {
  let config: GuestosConfigFile | undefined;
  const read = readerOf(machine.host, source, (name) => name === CONFIG);
  const limits = hadConfig ? bootstrapLimits : { ...bootstrapLimits, tarBytes: MOST_SEARCHED };
  const { sha256 } = await read(limits, async (entry) => {
    if (entry.name !== CONFIG) return;
    const place = `${source.title}: ${CONFIG}`;
    config = scanGuestosConfig(await smallContent(entry, place, GUESTOS_CONFIG_BOUNDS.longest), place);
  });
  if (config !== undefined || !hadConfig) return { config, sha256, old: undefined };
  const contents = await machine.medium();
  const known = topLevelEntries(contents);
  const old = await inspectMedium(
    readerOf(machine.host, source, (name) => known.includes(name)),
    source.title,
    contents,
  );
  return { config, sha256, old };
}

const CONFIG = "config.json";
/** Bytes that a node of `*.conf` files reads for a config.json at each boot: seconds on a slow medium, where a whole tar may take minutes. */
const MOST_SEARCHED = 64 * 1024 * 1024;

async function takeConfig(machine: Machine, config: GuestosConfigFile, saved: string | undefined): Promise<Plan> {
  const { host, layout, note } = machine;
  const target = layout.config.injected.guestosConfig;
  const actions: Action[] = [];
  if (saved !== config.text && config.config.guest_vm_type === "default") {
    const change = saved === undefined ? "change over to config.json, which the host hands over now" : "take the host's new config.json";
    actions.push(
      provision(`${change}: ${target}`, async () => {
        if (saved === undefined)
          note("the host hands over config.json now: it counts in place of the *.conf files. Keys and state are kept");
        for (const warning of [...config.findings.map(findingText), ...config.notes]) note(`${CONFIG}: ${warning}`);
        await host.writeFile(target, config.text, { mode: 0o600, uid: 0, gid: 0 });
      }),
    );
  }
  return [...actions, ...(await configInForce(machine, config.text))];
}

/** The way back: the host hands over the files of old again. They are taken in as on a first boot, without the accounts' keys. */
async function changeBack(machine: Machine, { config, warnings }: Inspection): Promise<Plan> {
  const { host, layout, note } = machine;
  const contents = await machine.medium();
  const saved = layout.config.injected.guestosConfig;
  const actions: Action[] = [];
  for (const [name, { mode = 0o644 }] of contents.configFiles) {
    const target = configTarget(layout, name);
    if (name.startsWith(KEYS_FOLDER) || target === saved) continue;
    const content = config.get(name);
    const present = await host.readBytes(target);
    if (content === undefined) {
      if (present !== undefined) actions.push(provision(`remove ${target}, which is not part of it`, async () => host.remove(target)));
    } else if (!Buffer.from(present ?? []).equals(content) || present === undefined) {
      actions.push(provision(`store ${name} as ${target}`, async () => storeFile(machine, name, content, mode)));
    }
  }
  // Last: until then config.json counts, and a power cut leads here again.
  actions.push(
    provision(`change back to the *.conf files, which the host hands over now: remove ${saved}`, async () => {
      note("the host hands over *.conf files again: they count in place of config.json. Keys and state are kept");
      for (const warning of warnings) note(warning);
      await host.remove(saved);
    }),
  );
  return [...actions, ...(await configInForce(machine, undefined))];
}
