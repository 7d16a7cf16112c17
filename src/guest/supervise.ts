import { type Clock, pause } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { type Problem, toProblem } from "../base/problem.ts";
import { CommandError } from "../system/command.ts";
import { beats } from "../system/files/follow-file.ts";
import type { Host } from "../system/host.ts";
import type { Hypervisor } from "../system/hypervisor/hypervisor.ts";
import type { VirtualMachine } from "../system/hypervisor/virtual-machine.ts";
import { afterEnd, afterFailedStart, afterLooking, decide, FRESH, LOOP, type Memory, type Seen, SILENT, type Started } from "./decide.ts";
import { GUEST } from "./description.ts";
import { type GuestState, readGuestState, writeGuestState } from "./guest-state.ts";
import { keepLogs } from "./kept-logs.ts";
import type { GuestPlaces } from "./places.ts";
import { type Said, SerialWatch } from "./serial-watch.ts";
import { type ChosenSlot, readGuestSlot, readRunningSlot, type TakenSlot, takeSlot } from "./slot.ts";
import { stopMachine } from "./stop-machine.ts";

/** What stays to be said of a guest that runs, after its new system did not come up. */
const FELL_BACK: Problem = {
  code: "guest-fell-back",
  what: "the new system of the guest had its one try and was not confirmed: the one before it runs",
  todo: "see what it wrote, in the logs beside that of guestos-boot guest console",
};

export interface Supervision {
  /** Whose work no signal stops: what was begun is brought to an end. */
  readonly host: Host;
  readonly places: GuestPlaces;
  readonly hypervisor: Hypervisor;
  readonly describe: (slot: ChosenSlot) => Promise<VirtualMachine>;
  readonly clock: Clock;
  /** Milliseconds that a guest has from the power button to its end. */
  readonly grace: number;
  /** Aborted when the guest is to be stopped, and the supervisor to end. */
  readonly stop: AbortSignal;
  /** Called once the guest was started, or could not be. */
  readonly ready: () => Promise<void>;
  /** Called with each new account. @throws nothing */
  readonly publish: (state: GuestState) => Promise<void>;
}

/** Milliseconds between two looks, where nothing hints at a change; and at least, whatever hints at one. */
const LOOK = 5_000;
const REST = 200;
/** Milliseconds between two looks at the serial port. */
const LISTEN = 1_000;
/** So often in a row the hypervisor may fail to start a slot before the try of a new system is used up. */
const REFUSALS = 5;

/**
 * Keeps the guest's machine running until it is told to stop, and then stops it. Each decision follows from a fresh look at the machine;
 * events only make the look come sooner. What cannot be inspected is left alone.
 *
 * @throws ProblemError when the machine did not end
 */
export async function supervise(supervision: Supervision): Promise<void> {
  const { hypervisor, places, host, stop } = supervision;
  const notifier = new Notifier();
  const watching = new AbortController();
  const guest = new Guest(supervision, await readGuestState(host, places));
  const following = [hypervisor.follow(GUEST.name, watching.signal, notifier.notify), listen(guest, places, notifier, watching.signal)];
  try {
    let isFirst = true;
    while (!stop.aborted) {
      await guest.attend();
      if (isFirst) await supervision.ready();
      isFirst = false;
      await pause(supervision.clock, REST, stop);
      const cancel = supervision.clock.after(guest.untilNext(LOOK), notifier.notify);
      await notifier.notified(stop);
      cancel();
    }
    await guest.end();
  } finally {
    watching.abort();
    await Promise.all(following);
  }
}

async function listen(guest: Guest, { serialLog }: GuestPlaces, notifier: Notifier, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of beats(serialLog, LISTEN, signal)) if (await guest.hear()) notifier.notify();
  } catch {
    // Without its folder there is no log: the guest is then reported as silent.
  }
}

/** The guest as the supervisor knows it. */
class Guest {
  readonly #supervision: Supervision;
  #memory: Memory = FRESH;
  /** What the last start chose. A start that was given up may have come about after all. */
  #chosen: Omit<Started, "at"> | undefined;
  #serial: SerialWatch;
  #problem: Problem | undefined;
  #lastLines: readonly string[] | undefined;
  #published: GuestState | undefined;
  /** How often in a row a slot was taken, and its machine not started. */
  #refusals = 0;
  /** Of the last start. */
  #hugePages: boolean | undefined;
  /** The next start, by the clock of the memory and by the time of day. */
  #waitsFor: { readonly notBefore: number; readonly at: string } | undefined;

  constructor(supervision: Supervision, before: GuestState | undefined) {
    this.#supervision = supervision;
    this.#serial = this.#newSerial();
    if (before?.phase === "stopping") this.#problem = before.problem;
    // If its machine still runs, it is this one. One that was only being started is known by the block.
    if (before?.phase === "running" || before?.phase === "unknown" || before?.phase === "paused") {
      const started = { at: supervision.clock.now(), onTrial: before.onTrial, ...(before.slot === undefined ? {} : { slot: before.slot }) };
      this.#memory = { ...FRESH, started };
      this.#problem = before.phase !== "unknown" ? before.problem : undefined;
      this.#hugePages = before.hugePages;
      // The part of its log that has the word may have been moved away since.
      if (before.boot === "success" || before.boot === "failure") this.#serial = this.#newSerial(before.boot);
    }
  }

  /** Looks at the machine, and does what follows from it. */
  async attend(): Promise<void> {
    const { clock, hypervisor } = this.#supervision;
    const seen = await this.#lookForEnd();
    if (seen.kind === "machine" && (seen.state === "running" || seen.state === "paused")) {
      await this.#recognise();
      this.#memory = afterLooking(this.#memory, clock.now());
    }
    const decision = decide(seen, this.#memory, this.#serial.said, clock.now());
    switch (decision.kind) {
      case "wait":
        return this.#account(seen);
      case "start":
        return this.#start();
      case "clear":
        await this.#trying(async () => hypervisor.destroy(GUEST.name));
        return this.#account(await this.#look());
      case "give up":
        if (!(await this.#isOnTrial())) return this.#account(seen);
        await this.#trying(async () => this.#stopMachine());
        return this.#account(await this.#look());
    }
  }

  /** Which slot a machine runs that is not known yet. What cannot be read now may be at the next look; `guest slot` says why it cannot. */
  async #recognise(): Promise<void> {
    const { host, places, clock } = this.#supervision;
    const { started } = this.#memory;
    if (started?.slot !== undefined) return;
    const known = this.#chosen ?? (await readRunningSlot(host, places).catch(() => ({ onTrial: false })));
    this.#memory = { ...this.#memory, started: { at: started?.at ?? clock.now(), ...known } };
  }

  /** Reads what the guest wrote. @returns whether it said how its boot went, for the first time */
  async hear(): Promise<boolean> {
    const before = this.#serial.said;
    // What cannot be read now may be at the next beat.
    await this.#serial.read().catch(() => undefined);
    return this.#serial.said !== before;
  }

  /** Milliseconds until it has to be attended to again, at most so many. */
  untilNext(most: number): number {
    const left = (this.#memory.notBefore - this.#supervision.clock.now()) * 1000;
    return left > 0 ? Math.min(left, most) : most;
  }

  /** Stops the machine. @throws ProblemError when it did not end */
  async end(): Promise<void> {
    await this.#publish({ ...this.#common(), phase: "stopping" });
    try {
      await this.#stopMachine();
    } catch (error) {
      await this.#publish({ ...this.#common(), phase: "stopping", problem: toProblem(error) });
      throw error;
    }
    await this.#publish({ phase: "stopped", onTrial: false, failures: 0 });
  }

  /** An end that is seen is counted at once: a guest may have ended before its start was accounted for. */
  async #lookForEnd(): Promise<Seen> {
    const seen = await this.#look();
    const hasEnded = seen.kind === "machine" && seen.state !== "running" && seen.state !== "paused";
    if (!hasEnded || this.#memory.started === undefined) return seen;
    // Its last words may not have been read yet.
    await this.hear();
    this.#ended();
    return seen;
  }

  async #look(): Promise<Seen> {
    try {
      return { kind: "machine", state: await this.#supervision.hypervisor.state(GUEST.name) };
    } catch (error) {
      return { kind: "unknown", problem: toProblem(error) };
    }
  }

  /** Whether the boot loader would go back: a guest that was confirmed is kept, whatever became of its serial port. */
  async #isOnTrial(): Promise<boolean> {
    const { host, places } = this.#supervision;
    try {
      const { state } = await readGuestSlot(host, places);
      const isOnTrial = state.cycle === "failsafe_check";
      const { started } = this.#memory;
      if (!isOnTrial && started !== undefined) this.#memory = { ...this.#memory, started: { ...started, onTrial: false } };
      return isOnTrial;
    } catch (error) {
      // Nothing is ended because it cannot be read.
      this.#problem = toProblem(error);
      return false;
    }
  }

  #ended(): void {
    this.#memory = afterEnd(this.#memory, this.#supervision.clock.now());
    this.#lastLines = this.#serial.lastLines;
  }

  async #start(): Promise<void> {
    const { host, places, hypervisor, clock } = this.#supervision;
    await this.#publish({ ...this.#common(), phase: "starting" });
    let slot: TakenSlot | undefined;
    try {
      let machine: VirtualMachine | undefined;
      slot = await takeSlot(host, places, async (chosen) => {
        machine = await this.#supervision.describe(chosen);
        await keepLogs(host, places.serialLog);
      });
      if (machine === undefined) throw new Error("a slot was taken that nothing was prepared for");
      this.#chosen = { slot: slot.slot, onTrial: slot.onTrial };
      this.#hugePages = machine.hugePages;
      this.#serial = this.#newSerial();
      await hypervisor.start(machine);
      this.#refusals = 0;
      this.#memory = { ...this.#memory, started: { at: clock.now(), ...this.#chosen } };
      this.#problem = slot.fellBack ? FELL_BACK : undefined;
    } catch (error) {
      this.#problem = toProblem(error);
      this.#memory = afterFailedStart(this.#memory, clock.now());
      // An order that was cut off may still be carried out.
      const isCutOff = error instanceof CommandError && error.ending.kind === "timed-out";
      if (slot !== undefined) this.#refusals += 1;
      if (slot !== undefined && !isCutOff) await this.#giveBack(slot);
    }
    await this.#account(await this.#lookForEnd());
  }

  /**
   * A host that cannot start the machine now leaves a new system its one try. Not without end: the fault may be the new system's, a kernel
   * that the hypervisor refuses. After several refusals the try is used up, and the next start is the system before it.
   */
  async #giveBack(slot: TakenSlot): Promise<void> {
    if (this.#refusals >= REFUSALS) return;
    const seen = await this.#look();
    if (seen.kind === "machine" && seen.state === "absent") await this.#trying(slot.giveBack);
  }

  /** An order that fails is given again after the next look. */
  async #trying(order: () => Promise<void>): Promise<void> {
    try {
      await order();
    } catch (error) {
      this.#problem = toProblem(error);
    }
  }

  async #stopMachine(): Promise<void> {
    const { hypervisor, clock, grace } = this.#supervision;
    await stopMachine({ hypervisor, clock, grace, look: async () => this.#look() });
  }

  /** What is known of it, written where others read it. */
  async #account(seen: Seen): Promise<void> {
    const { started, failures } = this.#memory;
    const common = this.#common();
    if (seen.kind === "unknown") return this.#publish({ ...common, phase: "unknown", problem: seen.problem });
    if (seen.state === "paused") return this.#publish({ ...common, phase: "paused", ...this.#boot() });
    if (seen.state === "running" && started !== undefined) return this.#publish({ ...common, phase: "running", ...this.#boot() });
    await this.#publish({
      ...common,
      phase: failures >= LOOP ? "crash-loop" : "waiting",
      nextStart: this.#nextStart(),
      ...(this.#lastLines === undefined || this.#lastLines.length === 0 ? {} : { lastLines: this.#lastLines }),
    });
  }

  /** By the time of day, once for each wait: a second computation could differ by a second, and would be a new account. */
  #nextStart(): string {
    const { clock } = this.#supervision;
    const { notBefore } = this.#memory;
    if (this.#waitsFor?.notBefore !== notBefore) {
      const left = Math.max(0, notBefore - clock.now());
      const at = new Date(Date.parse(clock.date()) + left * 1000).toISOString().replace(/\.\d+Z$/, "Z");
      this.#waitsFor = { notBefore, at };
    }
    return this.#waitsFor.at;
  }

  #common(): Omit<GuestState, "since" | "phase"> {
    const { started, failures } = this.#memory;
    return {
      ...(started?.slot === undefined ? {} : { slot: started.slot }),
      onTrial: started?.onTrial ?? false,
      ...(this.#hugePages === undefined ? {} : { hugePages: this.#hugePages }),
      failures,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  #boot(): Pick<GuestState, "boot"> {
    const { started } = this.#memory;
    if (this.#serial.said !== "nothing") return { boot: this.#serial.said };
    return { boot: this.#supervision.clock.now() - (started?.at ?? 0) >= SILENT ? "silent" : "pending" };
  }

  /** Only what is new. */
  async #publish(state: Omit<GuestState, "since">): Promise<void> {
    const { host, places, clock } = this.#supervision;
    const { since, ...last } = this.#published ?? { since: clock.date() };
    if (JSON.stringify(state) === JSON.stringify(last)) return;
    this.#published = { ...state, since: "phase" in last && last.phase === state.phase ? since : clock.date() };
    // A full disk must not end the guest.
    await writeGuestState(host, places, this.#published).catch(() => undefined);
    await this.#supervision.publish(this.#published);
  }

  #newSerial(said: Said = "nothing"): SerialWatch {
    return new SerialWatch(this.#supervision.host, this.#supervision.places.serialLog, { said });
  }
}
