import type { Socket } from "node:net";
import { ProblemError } from "../src/base/problem.ts";
import { LabShell } from "./shell.ts";
import { stateFolder } from "../image/paths.ts";
import { guestPanic, MachineEndedError, MachineTimeoutError } from "./problems.ts";
import { machineFiles, type Medium, mediumBlockDevice, mediumDevice } from "./qemu-command.ts";
import type { QmpClient, QmpEvent } from "./qmp.ts";
import { SerialLog } from "./serial-log.ts";
import { killQuietly } from "./start-qemu.ts";

/** The ports of 127.0.0.1 that lead into the guest. */
export interface MachinePorts {
  readonly ssh: number;
  readonly metrics: number;
  /** These two a boundary node alone. */
  readonly https: number;
  readonly socks: number;
}

export interface WaitOptions {
  /** Milliseconds; five minutes when absent. */
  readonly timeout?: number;
  /** Where in the serial log to begin, in characters; its start when absent. */
  readonly from?: number;
}

const DEFAULT_WAIT = 300_000;
const SHUTDOWN_WAIT = 120_000;
const BUTTON_WAIT = 20_000;
const UNPLUG_WAIT = 30_000;

/** The process that a machine is. */
export interface MachineProcess {
  readonly pid: number;
  /** Settles when it has ended, with how. */
  readonly ended: Promise<string>;
  /** Absent of a user-mode machine. */
  readonly qmp?: QmpClient;
}

/** A running machine. Whatever is waited for ends at once, with the reason, when the guest panics or the machine's process ends. */
export class VirtualMachine {
  readonly name: string;
  readonly pid: number;
  readonly serial: SerialLog;
  readonly shell: LabShell;
  /** Settles when the machine has ended, with how. */
  readonly ended: Promise<string>;
  readonly #process: MachineProcess;
  readonly #ports: MachinePorts | undefined;
  readonly #over: AbortController;

  private constructor(
    name: string,
    process: MachineProcess,
    ports: MachinePorts | undefined,
    serial: SerialLog,
    shell: LabShell,
    over: AbortController,
  ) {
    this.name = name;
    this.pid = process.pid;
    this.serial = serial;
    this.shell = shell;
    this.ended = process.ended;
    this.#process = process;
    this.#ports = ports;
    this.#over = over;
    serial.onText(() => this.#checkForPanic());
    this.#checkForPanic();
    process.qmp?.onEvent(({ event }) => event === "RESET" && shell.onReset());
    void process.ended.then((how) => {
      process.qmp?.close();
      serial.close();
      over.abort(
        new MachineEndedError({
          code: "machine-ended",
          what: `the machine has ended: ${how}`,
          where: { file: serial.path },
          found: `\n${serial.tail()}\n`,
        }),
      );
    });
  }

  /**
   * Takes over a machine that runs: `startVirtualMachine` and `attachVirtualMachine` are what callers want.
   *
   * @param lab leads to the guest's end of the lab shell
   */
  static over(name: string, process: MachineProcess, lab: Socket, ports: MachinePorts | undefined): VirtualMachine {
    const { serialLog } = machineFiles(stateFolder(name));
    const over = new AbortController();
    return new VirtualMachine(name, process, ports, new SerialLog(serialLog), new LabShell(lab, over.signal), over);
  }

  /** @throws when the machine has no network card */
  get ports(): MachinePorts {
    if (this.#ports === undefined)
      throw new ProblemError({ code: "machine-without-network", what: `the machine ${this.name} has no network card` });
    return this.#ports;
  }

  /** Waits until the serial log matches. @throws MachineTimeoutError with the log's tail */
  async waitForSerial(pattern: RegExp, { timeout = DEFAULT_WAIT, from = 0 }: WaitOptions = {}): Promise<RegExpExecArray> {
    // A global or sticky pattern would remember where it stopped.
    const stateless = new RegExp(pattern, pattern.flags.replaceAll(/[gy]/g, ""));
    const check = (): RegExpExecArray | undefined => stateless.exec(this.serial.text.slice(from)) ?? undefined;
    return this.waitFor(`the serial log to show ${String(pattern)}`, timeout, check);
  }

  /**
   * Waits until `check` has found something; it is asked at once and after each piece of new text on the serial console.
   *
   * @param what for the error: "waited 300 s for ..."
   * @param timeout milliseconds
   * @throws MachineTimeoutError with the log's tail
   */
  waitFor<T>(what: string, timeout: number, check: () => T | undefined): Promise<T> {
    return this.#wait(what, timeout, (found) => {
      const inspectNow = (): void => {
        const value = check();
        if (value !== undefined) found(value);
      };
      inspectNow();
      return this.serial.onText(inspectNow);
    });
  }

  /** A command of QEMU's machine protocol. @throws ProblemError with QEMU's words, or for a user-mode machine, which has none */
  async qmp(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.#qmp.execute(command, args);
  }

  get #qmp(): QmpClient {
    const { qmp } = this.#process;
    if (qmp !== undefined) return qmp;
    throw new ProblemError({ code: "machine-without-qmp", what: `${this.name} is a user-mode machine: it has no QEMU to be asked` });
  }

  /** Puts a medium into the machine while it runs. */
  async plug(medium: Medium): Promise<void> {
    await this.qmp("blockdev-add", mediumBlockDevice(medium));
    await this.qmp("device_add", mediumDevice(medium));
  }

  /** Pulls a medium out, also one that was there from the start, without asking the guest. */
  async unplug(medium: Pick<Medium, "id">): Promise<void> {
    const gone = this.#waitForEvent(
      `${medium.id} to be unplugged`,
      ({ event, data }) => event === "DEVICE_DELETED" && data["device"] === medium.id,
    );
    gone.catch(() => {});
    await this.qmp("device_del", { id: medium.id });
    await gone;
    await this.qmp("blockdev-del", { "node-name": `${medium.id}-image` });
  }

  /** Resets the machine as its reset button does: nothing is asked, nothing is flushed. It boots again. */
  async reset(): Promise<void> {
    await this.qmp("system_reset");
  }

  /** A power cut: the machine dies at once. What the guest had flushed is on the disk; a new machine may be started with it. */
  async powerCut(): Promise<void> {
    killQuietly(this.pid);
    await this.ended;
  }

  /**
   * Presses the power button, and pulls the plug when the guest does not end in time.
   *
   * @returns whether the guest ended by itself
   */
  async shutdown({ timeout = SHUTDOWN_WAIT }: { readonly timeout?: number } = {}): Promise<"clean" | "killed"> {
    if (this.#over.signal.aborted) return "killed";
    const timer = Promise.withResolvers<"killed">();
    const late = setTimeout(() => timer.resolve("killed"), timeout);
    // logind hears the button; a node whose boot chain failed may have none, and a user-mode machine has no button.
    const wait = this.#process.qmp === undefined ? 0 : BUTTON_WAIT;
    const deaf = setTimeout(() => void this.shell.run("systemctl --no-block poweroff").catch(() => {}), wait);
    try {
      await this.qmp("system_powerdown").catch(() => undefined);
      const how = await Promise.race([this.ended.then(() => "clean" as const), timer.promise]);
      if (how === "killed") await this.powerCut();
      return how;
    } finally {
      clearTimeout(late);
      clearTimeout(deaf);
    }
  }

  /** The reason why the machine is of no more use, if there is one. */
  get failure(): Error | undefined {
    return this.#over.signal.aborted ? (this.#over.signal.reason as Error) : undefined;
  }

  /** Lets go of the machine; it runs on if it was started in the background. */
  detach(): void {
    this.#over.abort(new MachineEndedError({ code: "machine-let-go", what: `let go of the machine ${this.name}` }));
    this.#process.qmp?.close();
    this.serial.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerCut();
  }

  #checkForPanic(): void {
    const panic = guestPanic(this.serial.text, this.serial.path);
    if (panic !== undefined) this.#over.abort(panic);
  }

  #waitForEvent(what: string, matches: (event: QmpEvent) => boolean): Promise<void> {
    return this.#wait(what, UNPLUG_WAIT, (found) =>
      this.#qmp.onEvent((event) => {
        if (matches(event)) found(undefined);
      }),
    );
  }

  /** `begin` starts to check, and returns what ends that. */
  async #wait<T>(what: string, timeout: number, begin: (found: (value: T) => void) => () => void): Promise<T> {
    const { signal } = this.#over;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onOver = (): void => reject(this.failure);
    const late = setTimeout(() => {
      const found = `\n${this.serial.tail()}\n`;
      reject(
        new MachineTimeoutError({
          code: "machine-timed-out",
          what: `waited ${timeout / 1000} s for ${what}`,
          where: { file: this.serial.path },
          found,
        }),
      );
    }, timeout);
    signal.addEventListener("abort", onOver);
    const stop = begin(resolve);
    if (signal.aborted) onOver();
    try {
      return await promise;
    } finally {
      stop();
      clearTimeout(late);
      signal.removeEventListener("abort", onOver);
    }
  }
}
