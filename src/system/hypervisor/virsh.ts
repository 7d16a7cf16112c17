import { join } from "node:path";
import { ProblemError } from "../../base/problem.ts";
import { type Command, CommandError, type Completed } from "../command.ts";
import type { Host } from "../host.ts";
import { followTool } from "../processes/follow-tool.ts";
import { domainXml } from "./domain-xml.ts";
import type { Hypervisor, MachineState } from "./hypervisor.ts";

/** Milliseconds for one look, or one order. A busy host needs some seconds to start the tool. */
const ANSWER = 15_000;
/** Milliseconds until a machine runs: memory may have to be cleared. */
const START = 60_000;
/** Milliseconds for a process to end: libvirt itself waits up to 30 s before and after it kills. */
const END = 70_000;

export interface VirshPlaces {
  /** The driver's address (libvirt.org/uri.html). */
  readonly connection: string;
  /** The folder with a file NAME.pid for each machine that libvirt runs. */
  readonly pids: string;
  /** The folder for the machine's description while it is handed over, root's alone. */
  readonly folder: string;
}

export const libvirtPlaces = { connection: "qemu:///system", pids: "/run/libvirt/qemu" } as const;

/**
 * libvirt, by virsh(1): one process for each order, with a time limit, and no connection that can go stale.
 *
 * Not by libvirt-dbus: its last release is of 2021, it loses libvirt's error numbers, and after a restart of libvirtd it reports no events
 * until someone calls it. A native binding would be code that this project does not build.
 *
 * Machines are transient: libvirt forgets one that has ended, so that each start has a new description.
 */
export function virsh(host: Host, { connection, pids, folder }: VirshPlaces): Hypervisor {
  const run = async (args: readonly string[], rest: Partial<Command> = {}): Promise<Completed> =>
    host.run({
      program: "virsh",
      args: ["--connect", connection, ...args],
      timeout: ANSWER,
      todo: "see whether libvirt runs: systemctl status libvirtd",
      ...rest,
    });

  /** The state that libvirt says; `undefined` when it knows no machine of that name. */
  const listed = async (name: string): Promise<MachineState | undefined> => {
    // Not domstate: what it says of a name that is not there is what it also says when libvirt ends in the middle.
    const { stdout } = await run(["list", "--all"]);
    return stateIn(stdout, name);
  };

  const state: Hypervisor["state"] = async (name) => {
    const known = await listed(name);
    if (known !== undefined) return known;
    // libvirt may have lost a machine whose process lives on, and with it the disk.
    const pid = (await host.readText(join(pids, `${name}.pid`)))?.trim();
    const words = pid === undefined || !/^\d{1,10}$/.test(pid) ? [] : ((await host.readText(`/proc/${pid}/cmdline`))?.split("\0") ?? []);
    if (!words.some((word) => word.split(",").includes(`guest=${name}`))) return "absent";
    throw new ProblemError({
      code: "guest-process-left",
      what: "libvirt does not know the virtual machine, but its process lives",
      found: `process ${pid}`,
      todo: `end it, if it is not wanted: kill ${pid}; a new one is started then`,
    });
  };

  return {
    title: "libvirt",
    state,

    async start(machine) {
      const file = join(folder, `${machine.name}.xml`);
      await host.makeFolder(folder, { mode: 0o711 });
      await host.writeFile(file, domainXml(machine), { mode: 0o600 });
      await run(["create", "--validate", file], { timeout: START, todo: "see libvirt's log: journalctl --unit libvirtd" });
    },

    async shutdown(name) {
      // By name: without a mode, libvirt asks an agent in the guest first, and waits for it.
      await run(["shutdown", "--mode", "acpi", "--domain", name]);
    },

    async destroy(name) {
      const known = await state(name);
      if (known === "absent") return;
      if (known !== "shut off") {
        try {
          await run(["destroy", "--domain", name], { timeout: END });
        } catch (error) {
          // It may have ended by itself since.
          if (!(error instanceof CommandError) || (await state(name)) === known) throw error;
        }
      }
      // A transient machine is gone by now. One that someone defined keeps the name.
      if ((await state(name)) === "shut off") await run(["undefine", "--nvram", "--domain", name]);
    },

    async follow(_name, signal, changed) {
      // Of all machines: one that is not there yet has no events.
      await followTool("virsh", ["--connect", connection, "event", "--event", "lifecycle", "--loop"], signal, changed);
    },
  };
}

/** @param table what `virsh list --all` prints. @throws ProblemError when it is none: an empty answer is not "no machines" */
export function stateIn(table: string, name: string): MachineState | undefined {
  const [head = "", ...rows] = table.split("\n");
  if (!/^ Id +Name +State *$/.test(head)) throw unclear(head);
  const words = rows.map((row) => /^ (?:-|\d+) +(\S+) {2,}(\S.*?) *$/.exec(row)).find((found) => found?.[1] === name)?.[2];
  switch (words) {
    case undefined:
      return undefined;
    case "running":
    case "idle":
    case "no state":
    case "in shutdown":
      return "running";
    case "paused":
    case "pmsuspended":
      return "paused";
    case "crashed":
      return "crashed";
    case "shut off":
      return "shut off";
    default:
      throw unclear(words);
  }
}

function unclear(found: string): ProblemError {
  return new ProblemError({
    code: "libvirt-answer-unclear",
    what: "libvirt did not say how the virtual machine is",
    found: JSON.stringify(found.slice(0, 200)),
    expected: "the table of virsh list --all",
  });
}
