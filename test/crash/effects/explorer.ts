import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { oneLine } from "../../../src/base/problem.ts";
import { longestPath } from "../../../src/boot/bounds.ts";
import { raceProblems } from "../../../src/boot/races.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { replay } from "../../../src/run/replay.ts";
import { testLayout } from "../../support/test-layout.ts";
import { readObservation } from "../../../src/run/read-observation.ts";
import { systemHost } from "../../../src/system/host.ts";
import { changedUnits, withRequirements } from "../../../src/boot/graph.ts";
import { chains } from "./chain.ts";
import { chance } from "./chance.ts";
import { CrashMachine, type Ended, resetKernel, sh, type Snapshot } from "./crash-machine.ts";
import { machineFiles, type Scenario } from "./scenarios.ts";
import { READY } from "./told.ts";
import type { Effect, Moment, Target } from "./target.ts";

/** What happened to a process, and what was wrong afterwards. */
export interface Result {
  readonly scenario: string;
  readonly effect: number;
  readonly name: string;
  readonly moment: Moment;
  /** Whether the machine was booted again before the next run. */
  readonly reboot: boolean;
  /** False where the process had ended before it came to that. */
  readonly reached: boolean;
  readonly faults: readonly string[];
}

export interface Case {
  readonly effect: number;
  readonly moment: Moment;
}

/** Kills one scenario at its effects, each time on a machine of its own. */
export class EffectExplorer {
  readonly #scenario: Scenario;
  readonly #folder: string;
  readonly #base: string;
  readonly #list: string;
  /** Runs that nothing happened to. */
  #references: readonly Snapshot[] = [];
  #effects: readonly Effect[] = [];

  /** @param folder where machines are made, on a file system of its own */
  constructor(scenario: Scenario, folder: string) {
    this.#scenario = scenario;
    this.#folder = folder;
    this.#base = join(folder, "base");
    this.#list = join(folder, "effects.jsonl");
  }

  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /** Lets it run undisturbed, twice: what differs then is random. @throws Error when it does not end well */
  async enumerate(): Promise<void> {
    const { name, profile, before, files, kernel, args, check } = this.#scenario;
    writeFileSync(join(this.#folder, "../cmdline"), kernel);
    rmSync(this.#base, { recursive: true, force: true });
    resetKernel();
    {
      using machine = new CrashMachine(join(this.#folder, "machine"), profile);
      machine.put({ ...machineFiles, ...files });
      for (const command of before) requireWell(await machine.runHere(command), command.join(" "));
      machine.unbind();
      mkdirSync(this.#base);
      sh([`cp --archive ${machine.root}/. ${this.#base}`]);
    }
    const references: Snapshot[] = [];
    rmSync(this.#list, { force: true });
    const undisturbed: Target = { effect: 0, moment: { kind: "before" }, list: this.#list, milliseconds: 0 };
    for (const run of [
      async (machine: CrashMachine) => machine.run(args, undisturbed),
      async (machine: CrashMachine) => observed(async () => machine.runHere(args)),
    ]) {
      using machine = this.#machine();
      requireWell(await run(machine), name);
      references.push(machine.snapshot());
      await this.#requireObservedWell(machine);
      if (check !== undefined) requireWell(await machine.runHere(check), `${name}, once more`);
    }
    this.#effects = this.#listed() as readonly Effect[];
    this.#references = references;
  }

  /** Everything that can happen, effect after effect. */
  cases(): readonly Case[] {
    const { kind } = this.#scenario;
    const first = kind === "boot" ? this.#effects.findIndex(({ name }) => name === READY) - EFFECTS_BEFORE : 0;
    return this.#effects.flatMap(({ name, steps, isTool }, index): readonly Case[] => {
      const isOfEveryRun = OF_EVERY_RUN.test(name);
      if (index < first || (isOfEveryRun && kind !== "chain" && kind !== "boot")) return [];
      const effect = index + 1;
      const middle = Array.from({ length: steps }, (_, step): Moment => ({ kind: "middle", step: step + 1 }));
      const kills: readonly Moment[] = [{ kind: "before" }, ...middle, { kind: "after" }];
      // Each unit's own scenario has its steps; after an effect is before the next one.
      const isOfUnit = kind === "chain" && !isOfEveryRun;
      // Of a chain, all tools from the first on. An upgrade has no unit that would be given up.
      const isHung = kind === "unit" ? isTool : kind === "chain" && effect === 1;
      const moments: readonly Moment[] = [
        ...(isOfUnit ? kills.slice(0, 1) : kills),
        ...[{ kind: "full" } as const, { kind: "io-error" } as const],
        ...(isHung ? [{ kind: "hang", timeout: HUNG_TIMEOUT } as const] : []),
        ...(kind === "chain" && effect === 1 ? ORDERS : []),
      ];
      return moments.map((moment) => ({ effect, moment }));
    });
  }

  async explore({ effect, moment }: Case, seed: number): Promise<Result> {
    const { name, kind, before, args, check } = this.#scenario;
    const reboot = chance(`${seed} ${name} ${caseText({ effect, moment })} reboot`) < 0.5;
    rmSync(this.#list, { force: true });
    using machine = this.#machine();
    const milliseconds = this.#effects[effect - 1]?.milliseconds ?? 0;
    const ended = await machine.run(args, { effect, moment, list: this.#list, milliseconds } satisfies Target);
    const lines = this.#listed();
    const isWhole = moment.kind === "order";
    const reached = isWhole || (isFailure(moment) ? lines.length >= effect : ended.signal === "SIGKILL");
    const killed = (reached && !isWhole) || ended.status === 0 ? [] : [`ended oddly: ${endingText(ended)}`];
    const faults = isFailure(moment) ? faultsOfFailure(ended, moment, this.#bound()) : killed;
    // A single unit may do without the answer of a tool.
    if (moment.kind === "hang" && kind === "chain" && ended.status === 0) faults.push("ended well, though no tool ended");
    const cut = machine.snapshot();
    faults.push(...machine.leaks(ended.output));
    if (isWhole) faults.push(...this.#differences(cut).map((fault) => `in another order ${fault}`));
    if (!isFailure(moment) && machine.told() !== "")
      faults.push(...this.#differences(cut, OF_THE_RUN).map((fault) => `systemd was told, but ${fault}`));
    machine.unfill();
    if (reboot) {
      machine.reboot();
      // What a boot does again, before anyone can ask for more.
      for (const command of before) await machine.runHere(command);
      machine.unbind();
    }
    const again = await machine.runHere(args);
    if (again.status !== 0) faults.push(`the next run: ${endingText(again)}`);
    const after = machine.snapshot();
    faults.push(...machine.leaks(again.output));
    const rest = check === undefined || again.status !== 0 ? undefined : await machine.runHere(check);
    if (rest !== undefined && rest.status !== 0) faults.push(`something is left to do: ${endingText(rest)}`);
    faults.push(...this.#differences(after), ...this.#lost(cut, after));
    return { scenario: name, effect, name: this.#effects[effect - 1]?.name ?? "", moment, reboot, reached, faults };
  }

  /** The longest that a run may take whose tools all hang, in milliseconds: what `verify --bounds` says of it. */
  #bound(): number {
    const { kind, profile, args } = this.#scenario;
    const chain = chains.get(profile) ?? [];
    const selected = kind === "unit" ? chain.filter(({ name }) => name === args.at(-1)) : chain;
    const units = changedUnits(withRequirements(selected, chain), (unit) => ({ ...unit, timeout: HUNG_TIMEOUT }));
    return longestPath(units).seconds * 1000;
  }

  /** Holds what the units of this scenario did against what they declare, and has them decide again from what was recorded. */
  async #requireObservedWell(machine: CrashMachine): Promise<void> {
    const { profile } = this.#scenario;
    const chain = chains.get(profile) ?? [];
    const file = join(machine.root, "run/guestos-boot/observed.jsonl");
    if (!existsSync(file)) return;
    const observed = await readObservation(systemHost(), file);
    const accesses = observed.accesses.map((access) => ({ ...access, path: access.path.replace(machine.root, "") || "/" }));
    const problems = raceProblems(chain, accesses);
    if (problems.length > 0) throw new Error(problems.map(oneLine).join("\n"));
    const { layout, medium } = profiles[profile];
    const replayed = await replay(chain, observed.told, { layout: testLayout(machine.root, layout), medium });
    const other = replayed.filter(({ kind }) => kind === "differs");
    if (other.length > 0) throw new Error(`replayed otherwise: ${JSON.stringify(other)}`);
  }

  #machine(): CrashMachine {
    resetKernel();
    return new CrashMachine(join(this.#folder, "machine"), this.#scenario.profile, this.#base);
  }

  #listed(): readonly unknown[] {
    return readFileSync(this.#list, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line))
      .map((line) => this.#nameless(line));
  }

  /** Paths are told as a node has them. */
  #nameless(line: unknown): unknown {
    return JSON.parse(JSON.stringify(line).replaceAll(join(this.#folder, "machine"), ""));
  }

  #isRandom(path: string): boolean {
    const [one, two] = this.#references;
    return one?.contents.get(path) !== two?.contents.get(path);
  }

  /** Against the state of an undisturbed run. @param except paths that do not count */
  #differences(found: Snapshot, except?: RegExp): readonly string[] {
    const [reference] = this.#references;
    if (reference === undefined) throw new Error("nothing was enumerated");
    const paths = new Set([...reference.entries.keys(), ...found.entries.keys()]);
    return [...paths].flatMap((path) => {
      if (except?.test(path) === true) return [];
      const [is, should] = [found.entries.get(path), reference.entries.get(path)];
      if (is !== should) return [`${path}: ${is ?? "missing"}, undisturbed ${should ?? "not there"}`];
      if (this.#isRandom(path) || found.contents.get(path) === reference.contents.get(path)) return [];
      return [`${path}: has another content than undisturbed`];
    });
  }

  /** What is made once, by chance, and was there when it was killed: keys, certificates. */
  #lost(cut: Snapshot, after: Snapshot): readonly string[] {
    return [...cut.contents].flatMap(([path, content]) => {
      const hasLasted = path.startsWith("boot/config/") && !/\/\.[^/]*$/.test(path) && this.#isRandom(path);
      return hasLasted && after.contents.get(path) !== content ? [`${path}: had lasted, and is another one now`] : [];
    });
  }
}

/** Effects of the early half before its end that a scenario of the kind `boot` kills too. */
const EFFECTS_BEFORE = 3;
/** What a run notes while it lasts. All else is there when systemd is told: here, no unit of the late half changes anything. */
const OF_THE_RUN = /^boot\/config\/(\.[^/]*|unfinished-run\.json)$/;

/** What every run does, whatever it is for: once is enough. */
const OF_EVERY_RUN = /^make \/run\/guestos-boot$|unfinished-run\.json$|collector_textfile|^\w+ \/var\/lib\/guestos-boot\/boots/;

/** The orders in which each chain is run as a whole. */
const ORDERS = Array.from({ length: 70 }, (_, index): Moment => ({ kind: "order", seed: index + 1 }));

/** Milliseconds that a unit has whose tools hang, and that a process takes beside its units where the machine is busy. */
const HUNG_TIMEOUT = 1_000;
const STARTING = 20_000;

/** What does not kill it. */
type Failure = Exclude<Moment, { readonly kind: "before" | "middle" | "after" | "order" }>;
const WORDS = { full: /ENOSPC|no space left/i, "io-error": /EIO|i\/o error/i, hang: /did not end within/i };

function isFailure(moment: Moment): moment is Failure {
  return moment.kind in WORDS;
}

/** A full disk, an error of it, or tools that hang: the program ends in order, says what it was, and knows it for no defect of its own. */
function faultsOfFailure(ended: Ended, moment: Failure, bound: number): string[] {
  const faults: string[] = [];
  if (ended.signal !== null) faults.push(`did not end by itself: ${endingText(ended)}`);
  if (/a defect in guestos-boot/.test(ended.output) || ended.status === 1) faults.push(`takes it for a defect: ${endingText(ended)}`);
  if (moment.kind === "hang" && ended.milliseconds > bound + STARTING)
    faults.push(`took ${ended.milliseconds} ms, where ${bound} were promised`);
  if (ended.status !== 0 && !WORDS[moment.kind].test(ended.output)) faults.push(`does not say what it was: ${endingText(ended)}`);
  return faults;
}

/** Runs it with what units read and write written down. */
async function observed(run: () => Promise<Ended>): Promise<Ended> {
  process.env["GUESTOS_OBSERVE"] = "1";
  return run().finally(() => Reflect.deleteProperty(process.env, "GUESTOS_OBSERVE"));
}

function requireWell(ended: Ended, what: string): void {
  if (ended.status !== 0) throw new Error(`${what}: ${endingText(ended)}`);
}

function endingText({ status, signal, output }: Ended): string {
  return `${signal ?? `exit ${status}`}: ${output.trim().slice(-1500)}`;
}

/** "12 before": how a case of a scenario is named. */
export function caseText({ effect, moment }: Case): string {
  return `${effect} ${momentText(moment)}`;
}

export function momentText(moment: Moment): string {
  if (moment.kind === "middle") return `step ${moment.step}`;
  return moment.kind === "order" ? `order ${moment.seed}` : moment.kind;
}
