import type { Layout } from "../config/layout/layout.ts";
import type { GuestUnit } from "../units/machine.ts";
import { Secret } from "../base/secret.ts";
import type { Command } from "../system/command.ts";
import { isOfKernel } from "../system/files/host-files.ts";
import type { Host } from "../system/host.ts";
import { type Answer, failedAnswer, plainAnswer } from "./answers.ts";
import { type Decision, decisionOf, decisionOfError } from "./decision.ts";
import { secretAnswer } from "./secret-answer.ts";

/** A line of a record: an answer that a plan of a unit was given, or what it decided. Plans of a unit are counted from 1. */
export type Told =
  | { readonly unit: string; readonly plan: number; readonly call: string; readonly args: readonly unknown[]; readonly answer: Answer }
  | { readonly unit: string; readonly plan: number; readonly beyond: string }
  | { readonly unit: string; readonly plan: number; readonly decision: Decision };

/** Files that others may read hold no secret: that is an invariant of this program, and of the systems that it boots. */
const FOR_OTHERS = 0o004;

/** Records what the plans of one run were answered, and what they decided (docs/operator.md, guestos-boot replay). */
export class Recorder {
  readonly #tell: (told: Told) => void;
  readonly #secretPlaces: readonly string[];
  /** By unit: its present plan, and whether it is planning. */
  readonly #plans = new Map<string, { number: number; isPlanning: boolean }>();

  constructor(tell: (told: Told) => void, { medium }: Pick<Layout, "medium">) {
    this.#tell = tell;
    // It brings keys, and whoever puts it there decides who may read it.
    this.#secretPlaces = [medium.directTar, medium.mountPoint];
  }

  /** The unit, whose decisions are told. */
  unit(unit: GuestUnit): GuestUnit {
    const { name, absent, plan } = unit;
    const deciding = async <T>(isBegun: boolean, decide: () => Promise<T>, told: (found: T) => Decision | undefined): Promise<T> => {
      const state = this.#state(name);
      if (!isBegun) state.number += 1;
      state.isPlanning = true;
      const end = (decision: Decision | undefined): void => {
        state.isPlanning = false;
        if (decision !== undefined) this.#tell({ unit: name, plan: state.number, decision });
      };
      try {
        const found = await decide();
        end(told(found));
        return found;
      } catch (error) {
        end(decisionOfError(error));
        throw error;
      }
    };
    const isAbsent = async (machine: Parameters<typeof plan>[0]): Promise<string | undefined> =>
      deciding(
        false,
        async () => absent?.(machine),
        (why) => (why === undefined ? undefined : { kind: "absent", why }),
      );
    return {
      ...unit,
      ...(absent === undefined ? {} : { absent: isAbsent }),
      plan: async (machine) => deciding(absent !== undefined, async () => plan(machine), decisionOf),
    };
  }

  /** The host of a unit, whose answers are told while the unit plans. */
  host(host: Host, unit: string): Host {
    const state = this.#state(unit);
    const tell = (call: string, args: readonly unknown[], answer: Answer | undefined): void => {
      if (state.isPlanning && answer !== undefined) this.#tell({ unit, plan: state.number, call, args, answer });
    };
    const asked = async <T>(
      call: string,
      args: readonly unknown[],
      ask: () => Promise<T>,
      shown: (found: T) => Answer | Promise<Answer> = plainAnswer,
    ): Promise<T> => {
      if (!state.isPlanning) return ask();
      try {
        const found = await ask();
        tell(call, args, await shown(found));
        return found;
      } catch (error) {
        tell(call, args, failedAnswer(error));
        throw error;
      }
    };
    const content = async (path: string, found: string | Uint8Array | undefined): Promise<Answer> => {
      const isShown = found === undefined || (!this.#isSecretPlace(path) && !holdsKey(found) && (await isForOthers(host, path)));
      return isShown ? plainAnswer(found) : secretAnswer(found);
    };
    return {
      ...host,
      beyond: (what) => {
        host.beyond?.(what);
        if (state.isPlanning) this.#tell({ unit, plan: state.number, beyond: what });
      },
      // What it follows from is asked of the other host, and is not told.
      concluded: async ({ name, args }, ask) => asked(name, args, async () => ask(host)),
      now: () => {
        const now = host.now();
        tell("now", [], plainAnswer(now));
        return now;
      },
      run: async (command) =>
        asked(
          "run",
          [commandKey(command)],
          async () => host.run(command),
          (completed) => ofTool(command, completed.stdout, completed),
        ),
      readText: async (path) =>
        asked(
          "readText",
          [path],
          async () => host.readText(path),
          async (found) => content(path, found),
        ),
      readBytes: async (path) =>
        asked(
          "readBytes",
          [path],
          async () => host.readBytes(path),
          async (found) => content(path, found),
        ),
      readAt: async (path, offset, length) =>
        asked(
          "readAt",
          [path, offset, length],
          async () => host.readAt(path, offset, length),
          async (found) => content(path, found),
        ),
      list: async (path) => asked("list", [path], async () => host.list(path)),
      readLink: async (path) => asked("readLink", [path], async () => host.readLink(path)),
      stat: async (path) => asked("stat", [path], async () => host.stat(path)),
      space: async (path) => asked("space", [path], async () => host.space(path)),
    };
  }

  #isSecretPlace(path: string): boolean {
    return this.#secretPlaces.some((place) => `${path}/`.startsWith(`${place}/`));
  }

  #state(unit: string): { number: number; isPlanning: boolean } {
    const state = this.#plans.get(unit) ?? { number: 0, isPlanning: false };
    this.#plans.set(unit, state);
    return state;
  }
}

async function isForOthers(host: Host, path: string): Promise<boolean> {
  if (isOfKernel(path)) return true;
  // What cannot be inspected counts as a secret.
  const facts = await host.stat(path).catch(() => undefined);
  return facts?.kind === "file" && (facts.mode & FOR_OTHERS) !== 0;
}

/** How a tool that is run is known again. What it gets by standard input is not part of it. */
export function commandKey({ program, args, env = {}, cwd }: Command): object {
  return { program, args, ...(Object.keys(env).length === 0 ? {} : { env }), ...(cwd === undefined ? {} : { cwd }) };
}

/** Whoever may read it: a unit also finds a key whose mode is wrong. */
function holdsKey(content: string | Uint8Array): boolean {
  return (typeof content === "string" ? content : Buffer.from(content)).includes("PRIVATE KEY");
}

/** A tool that is given a secret may show it in another form. */
function ofTool({ input }: Command, stdout: string, completed: object): Answer {
  return input instanceof Secret || holdsKey(stdout) ? secretAnswer(stdout) : plainAnswer(completed);
}
