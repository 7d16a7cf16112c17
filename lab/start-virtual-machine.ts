import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ProblemError } from "../src/base/problem.ts";
import * as z from "../src/base/schema.ts";
import { type Accelerator, findAccelerator } from "./accelerator.ts";
import { labShellCredentials } from "./credentials.ts";
import { stateFolder } from "../image/paths.ts";
import { freePorts } from "./ports.ts";
import { type BootWay, type DiskAttachment, firmware, type Forward, machineFiles, type Medium, qemuArguments } from "./qemu-command.ts";
import { attachToQemu, startInBackground, startOwned } from "./start-qemu.ts";
import { startUserMode } from "./user-mode/start-user-mode.ts";
import { type MachinePorts, VirtualMachine } from "./virtual-machine.ts";

export interface VirtualMachineOptions {
  /** Names the state folder, build/vm/<name>. One machine at a time in each. */
  readonly name: string;
  readonly disk: DiskAttachment;
  /** The firmware when absent. */
  readonly boot?: BootWay;
  /** What `findAccelerator` finds when absent. */
  readonly accelerator?: Accelerator;
  /** MiB; 2048 when absent. */
  readonly memory?: number;
  /** When absent what MACHINE_PROCESSORS says, or two. */
  readonly processors?: number;
  readonly extraDisks?: readonly DiskAttachment[];
  readonly media?: readonly Medium[];
  /** A network card, with what a node serves forwarded to free ports of 127.0.0.1; true when absent. */
  readonly network?: boolean;
  /** Whether an IPv6 router answers in that network; true when absent. */
  readonly router?: boolean;
  /** A second network card, before the other one in every order, whose cable leads nowhere; none when absent. */
  readonly strayCard?: boolean;
  /** Further systemd system credentials. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** The root shell over virtio-serial; true when absent. */
  readonly labShell?: boolean;
  /** A hardware watchdog; none when absent. */
  readonly watchdog?: boolean;
  /** A graphics card; none when absent. */
  readonly graphics?: boolean;
  /** Run on when the owner ends; false when absent. */
  readonly background?: boolean;
}

/** Where a node serves what it may serve. */
const GUEST_PORTS: MachinePorts = { ssh: 22, metrics: 9100, https: 443, socks: 1080 };
const DEFAULT_PROCESSORS = 2;
/** MiB. */
const DEFAULT_MEMORY = 2048;

/** Starts QEMU, or a user-mode Linux. @throws MachineEndedError when it does not start */
export async function startVirtualMachine(options: VirtualMachineOptions): Promise<VirtualMachine> {
  const accelerator = options.accelerator ?? (await findAccelerator());
  if (accelerator.kind === "user-mode") return inUserMode(options);
  const folder = stateFolder(options.name);
  const files = machineFiles(folder);
  await mkdir(folder, { recursive: true });
  for (const stale of [files.pid, files.serialSocket, files.qmpSocket, files.labSocket]) await rm(stale, { force: true });
  await writeFile(files.serialLog, "");
  const boot = options.boot ?? { kind: "firmware" };
  if (boot.kind === "firmware") await copyFile(firmware.variables, files.firmwareVariables);
  const ports = options.network === false ? undefined : await freePorts(["ssh", "metrics", "https", "socks"]);
  const labShell = options.labShell === false ? {} : await labShellCredentials();
  const background = options.background ?? false;
  const args = qemuArguments({
    name: options.name,
    folder,
    accelerator: accelerator.args,
    memory: options.memory ?? DEFAULT_MEMORY,
    processors: options.processors ?? Number(process.env["MACHINE_PROCESSORS"] || DEFAULT_PROCESSORS),
    boot,
    disk: options.disk,
    extraDisks: options.extraDisks ?? [],
    media: options.media ?? [],
    forwards: ports === undefined ? undefined : forwardsTo(ports),
    router: options.router ?? true,
    strayCard: options.strayCard ?? false,
    credentials: { ...labShell, ...options.credentials },
    watchdog: options.watchdog ?? false,
    graphics: options.graphics ?? false,
    background,
  });
  await writeFile(files.facts, `${JSON.stringify({ ports: ports ?? null })}\n`);
  const qemu = await (background ? startInBackground : startOwned)(args, folder);
  return VirtualMachine.over(options.name, qemu, await connected(files.labSocket), ports);
}

/** @throws ProblemError for what such a machine does not have, as far as it would be missed */
async function inUserMode({ name, disk, boot, media = [], extraDisks = [], ...others }: VirtualMachineOptions): Promise<VirtualMachine> {
  if (
    boot?.kind !== "kernel" ||
    [disk, ...extraDisks].some(({ format, log, faults }) => format !== "raw" || log !== undefined || faults !== undefined) ||
    others.background === true
  )
    throw new ProblemError({
      code: "user-mode-impossible",
      what: `the user-mode machine ${name} boots a kernel's command line, from raw disks, and ends with its owner`,
    });
  return startUserMode({
    ...{ name, boot, disks: [disk, ...extraDisks].map(({ path }) => path), memory: others.memory ?? DEFAULT_MEMORY },
    media: media.map(({ image }) => image),
    credentials: { ...(others.labShell === false ? {} : await labShellCredentials()), ...others.credentials },
  });
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, "connect");
  return socket;
}

/** The machine of that name, started by another process. @throws MachineEndedError when none runs */
export async function attachVirtualMachine(name: string): Promise<VirtualMachine> {
  const folder = stateFolder(name);
  const qemu = await attachToQemu(folder);
  const facts: unknown = JSON.parse(await readFile(machineFiles(folder).facts, "utf8"));
  return VirtualMachine.over(name, qemu, await connected(machineFiles(folder).labSocket), Facts.parse(facts).ports ?? undefined);
}

function forwardsTo(ports: MachinePorts): readonly Forward[] {
  return [
    { host: ports.ssh, guest: GUEST_PORTS.ssh },
    { host: ports.metrics, guest: GUEST_PORTS.metrics },
    { host: ports.https, guest: GUEST_PORTS.https },
    { host: ports.socks, guest: GUEST_PORTS.socks },
  ];
}

const Facts = z.object({
  ports: z.nullable(z.object({ ssh: z.number(), metrics: z.number(), https: z.number(), socks: z.number() })),
});
