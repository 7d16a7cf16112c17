import { join } from "node:path";
import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import { foreignText } from "../../base/foreign-words.ts";
import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import type { Hypervisor, MachineState } from "./hypervisor.ts";
import { type QemuFiles, qemuArguments } from "./qemu-arguments.ts";
import { withMonitor } from "./qmp.ts";

/** Milliseconds for one look, or one order. */
const ANSWER = 5_000;
/** Milliseconds until a machine runs: memory may have to be cleared. */
const START = 60_000;
/** Milliseconds until a process that was told to end is gone: its disk may have to take what is left. */
const END = 30_000;
/** Milliseconds between two looks at a process that ends. */
const POLL = 50;
/** Milliseconds before a monitor that ended is connected to again. */
const AGAIN = 1_000;

const Status = z.object({ status: z.string() });

/**
 * QEMU by itself, spoken to over QMP. For images without libvirt, and for tests: a machine is up in about a second.
 *
 * @param folder for the machines' sockets and process ids, root's alone
 */
export function qemu(host: Host, folder: string): Hypervisor {
  const filesOf = (name: string): QemuFiles => ({
    pid: join(folder, `${name}.pid`),
    monitor: join(folder, `${name}.qmp`),
    events: join(folder, `${name}.events`),
    variables: join(folder, `${name}.fd`),
  });

  /** The process of that machine; `undefined` when none lives. A process id may have been given to another program since. */
  const processOf = async (name: string): Promise<string | undefined> => {
    const { pid: file } = filesOf(name);
    const pid = (await host.readText(file))?.trim();
    if (pid === undefined || !/^\d{1,10}$/.test(pid)) return undefined;
    // Empty for a process that has ended, and waits for its parent.
    const words = (await host.readText(`/proc/${pid}/cmdline`))?.split("\0") ?? [];
    return words.includes(file) ? pid : undefined;
  };

  const gone = async (name: string, within: number): Promise<boolean> => {
    const left = deadlineIn(within);
    while ((await processOf(name)) !== undefined) {
      if (left() === 0) return false;
      await pause(systemClock, POLL);
    }
    return true;
  };

  const order = async (name: string, command: string): Promise<unknown> =>
    withMonitor(filesOf(name).monitor, { within: ANSWER }, async (monitor) => monitor.execute(command));

  return {
    title: "QEMU",

    async state(name) {
      if ((await processOf(name)) === undefined) return "absent";
      try {
        return stateOf(await order(name, "query-status"));
      } catch (error) {
        // It may have ended in between. Else a process lives that says nothing: no one knows what it does.
        if (await gone(name, 10 * POLL)) return "absent";
        throw error;
      }
    },

    async start(machine) {
      const files = filesOf(machine.name);
      await host.makeFolder(folder, { mode: 0o700 });
      if (machine.firmware?.kind === "uefi") {
        const variables = await host.readBytes(machine.firmware.variables);
        if (variables === undefined) throw missing(machine.firmware.variables);
        await host.writeFile(files.variables, variables, { mode: 0o600 });
      }
      await host.run({
        program: "qemu-system-x86_64",
        args: qemuArguments(machine, files),
        timeout: START,
        todo: "see what is free (free -m), and who else has the disk open (fuser -v)",
      });
    },

    async shutdown(name) {
      await order(name, "system_powerdown");
    },

    async destroy(name) {
      const pid = await processOf(name);
      if (pid === undefined) return;
      const isGone = async (within: number): Promise<boolean> => gone(name, within);
      try {
        await order(name, "quit");
        if (await isGone(ANSWER)) return;
      } catch {
        // A monitor that does not answer is no reason to keep the machine.
      }
      if ((await processOf(name)) === pid) await host.run({ program: "kill", args: ["-KILL", pid], okStatuses: [0, 1] });
      if (await isGone(END)) return;
      throw new ProblemError({
        code: "guest-process-stuck",
        what: "the process of the virtual machine does not end",
        found: `process ${pid}, ${END / 1000} s after it was killed`,
        todo: `see what it waits for: cat /proc/${pid}/stack; a disk may not answer (dmesg)`,
      });
    },

    async follow(name, signal, changed) {
      while (!signal.aborted) {
        try {
          await withMonitor(filesOf(name).events, { within: Infinity, signal }, async (monitor) => {
            changed();
            while ((await monitor.nextEvent()) !== undefined) changed();
          });
        } catch {
          // There is no machine, or it has just ended.
        }
        changed();
        await pause(systemClock, AGAIN, signal);
      }
    },
  };
}

function stateOf(answer: unknown): MachineState {
  const { data } = Status.safeParse(answer);
  switch (data?.status) {
    case undefined:
      throw new ProblemError({
        code: "qemu-status-unclear",
        what: "QEMU did not say how the virtual machine is",
        found: foreignText(JSON.stringify(answer).slice(0, 200)),
        expected: "its status",
      });
    case "running":
    case "suspended":
      return "running";
    case "shutdown":
      return "shut off";
    case "guest-panicked":
    case "internal-error":
      return "crashed";
    default:
      return "paused";
  }
}

function missing(file: string): ProblemError {
  return new ProblemError({
    code: "firmware-missing",
    what: "there is no firmware for the virtual machine",
    where: { file },
    found: "no such file",
  });
}
