import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { stateFolder } from "../../image/paths.ts";
import { type BootWay, CARD_MAC, machineFiles } from "../qemu-command.ts";
import { VirtualMachine } from "../virtual-machine.ts";
import { FIRST_PROGRAM, withCredentials } from "./initrd.ts";
import { userModeKernel } from "./kernel.ts";

export interface UserModeOptions {
  /** Names the state folder, build/vm/NAME. */
  readonly name: string;
  /** Raw files: /dev/ubda and so on. */
  readonly disks: readonly string[];
  /** Further ones, which are only read, behind them. */
  readonly media: readonly string[];
  /** Of these the image's initramfs and command line; the kernel is the lab's. */
  readonly boot: Extract<BootWay, { readonly kind: "kernel" }>;
  /** MiB. */
  readonly memory: number;
  readonly credentials: Readonly<Record<string, string>>;
}

/** Answers at once, and names the prefix that the emulated machine's router has. */
const ROUTER = `interface lab-router {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 10;
  prefix 2001:db8:6772::/64 { AdvAutonomous on; };
};
`;

/**
 * How many mappings a process of the host may have (Linux, Documentation/admin-guide/sysctl/vm.rst, max_map_count). Each page of a program in
 * the machine may be one. Where no more are allowed, the program faults on the same page for ever: the usual 65530 are not enough for one that
 * emulates a machine.
 */
const MAPPINGS = { file: "/proc/sys/vm/max_map_count", least: 1_048_576 } as const;

/** The second serial port is the lab shell's; the first one is the console. */
const SHELL_PORT = "/dev/ttyS1";

/**
 * Boots an image in a user-mode Linux: its programs run on the real processor, and its kernel is a process. It ends with its owner.
 *
 * @throws CommandError when there is no kernel and none can be built
 */
export async function startUserMode({ name, disks, media, boot, memory, credentials }: UserModeOptions): Promise<VirtualMachine> {
  const kernel = await userModeKernel();
  if (Number(await readFile(MAPPINGS.file, "utf8")) < MAPPINGS.least) await writeFile(MAPPINGS.file, String(MAPPINGS.least));
  const folder = stateFolder(name);
  const files = machineFiles(folder);
  const own = join(folder, "uml");
  // The process number in what an earlier machine left may be someone else's by now.
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  await writeFile(files.serialLog, "");
  const [router, initrd] = [join(folder, "radvd.conf"), join(folder, "initrd.img")];
  await writeFile(router, ROUTER);
  await writeFile(initrd, withCredentials(await readFile(boot.initrd), { ...credentials, "lab.port": SHELL_PORT }));
  const command = [
    ...[
      kernel,
      ...boot.cmdline.split(" "),
      FIRST_PROGRAM,
      `initrd=${initrd}`,
      `mem=${memory}M`,
      "seccomp=on",
      `umid=${name}`,
      `uml_dir=${own}`,
    ],
    ...disks.map((file, index) => `ubd${index}=${file}`),
    ...media.map((file, index) => `ubd${disks.length + index}r=${file}`),
    ...["con=null", "ssl=null", "ssl0=null,fd:3", "ssl1=fd:4"],
    `vec0:transport=raw,ifname=lab-guest,depth=64,mac=${CARD_MAC}`,
    // A ring of io_uring breaks this kernel's memory when its process forks; libuv does without. Modules are built in.
    ...["sysctl.kernel.io_uring_disabled=2", "systemd.mask=systemd-modules-load.service"],
  ];
  const inNamespaces = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const script = join(import.meta.dirname, "namespace.bash");
  const [console, messages] = [openSync(files.serialLog, "a"), openSync(join(folder, "linux.log"), "w")];
  try {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...inNamespaces, "bash", script, router, ...command], {
      stdio: ["ignore", messages, messages, console, "pipe"],
      // The machine's memory is a file there, of which as much exists as was touched.
      env: { PATH: process.env["PATH"], TMPDIR: "/dev/shm" },
    });
    await once(child, "spawn");
    // All processes of the machine hold the other end of the last pipe: when it is closed, none is left.
    const ended = once(child, "close").then(() =>
      child.signalCode === null ? `exit status ${child.exitCode}` : `ended by ${child.signalCode}`,
    );
    return VirtualMachine.over(name, { pid: child.pid ?? 0, ended }, child.stdio[4] as Socket, undefined);
  } finally {
    closeSync(console);
    closeSync(messages);
  }
}
