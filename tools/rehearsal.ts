/**
 * What an executable's code cache is made by (tools/code-cache.ts): the commands of a boot, on a machine that is a folder.
 *
 * The program gets Node's modules from here. Every path that it opens is in that folder, every tool that it starts is true(1), and
 * no one answers it on a socket: so it changes nothing, needs no root, and does the same wherever it is built.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Program } from "./code-cache.ts";

/** What a node runs at each boot, and what people type most. */
const commands = [
  "--help",
  "list",
  "plan --unit machine-id --unit ssh-host-keys --unit ssh-account-keys",
  "run --unit hostname",
  "run --unit journalbeat --json",
  "status",
];

export async function rehearse(program: Program, load: NodeJS.Require): Promise<void> {
  const root = fs.mkdtempSync(join(tmpdir(), "rehearsal-"));
  const { write } = process.stderr;
  try {
    makeNode(root);
    process.getuid = () => 0;
    // It has a lot to complain of here.
    process.stderr.write = () => true;
    for (const command of commands) await run(program, builtinsOf(root, load), command.split(" "));
  } finally {
    process.stderr.write = write;
    fs.rmSync(root, { recursive: true });
  }
}

/** The program ends by process.exit, and must not take us along. */
function run(program: Program, load: NodeJS.Require, args: readonly string[]): Promise<void> {
  process.argv = ["guestos-boot", "guestos-boot", ...args];
  return new Promise((resolve) => {
    process.exit = () => resolve() as never;
    program(load, { exports: {} });
  });
}

function builtinsOf(root: string, load: NodeJS.Require): NodeJS.Require {
  const refuse = (): never => {
    throw new Error("there is no one");
  };
  const others = new Map<string, object>([
    ["node:fs", below(root, fs)],
    ["node:fs/promises", below(root, fs.promises)],
    ["node:child_process", { ...childProcess, spawn: (_: string, __: unknown, options: object) => childProcess.spawn("true", options) }],
    ["node:net", { ...(load("node:net") as object), connect: refuse, createConnection: refuse }],
  ]);
  const name = (id: string): string => (id.startsWith("node:") ? id : `node:${id}`);
  return Object.assign((id: string): unknown => others.get(name(id)) ?? load(id), load);
}

/** Functions that take a path, with every absolute one moved below `root`. */
function below<T extends object>(root: string, functions: T): T {
  const move = (value: unknown): unknown => (typeof value === "string" && value.startsWith("/") ? join(root, value) : value);
  const entries = Object.entries(functions).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "function" && /^[a-z]/.test(name)
      ? (...args: readonly unknown[]): unknown => Reflect.apply(value, functions, args.map(move))
      : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** A node whose configuration has been taken in, as far as it takes for the units to inspect something. */
function makeNode(root: string): void {
  const write = (path: string, content: string): void => {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.writeFileSync(join(root, path), content);
  };
  const partitions = ["esp", "grub", "config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var", "store"];
  const mountPoints = { A_root: "/", A_boot: "/boot", esp: "/boot/efi", grub: "/boot/grub", config: "/boot/config" };
  const numberOf = (partition: string): number => partitions.indexOf(partition) + 1;
  fs.mkdirSync(join(root, "sys/dev/block"), { recursive: true });
  for (const partition of partitions) {
    const number = numberOf(partition);
    const folder = `sys/devices/vda/vda${number}`;
    write(`${folder}/partition`, `${number}\n`);
    write(`${folder}/dev`, `254:${number}\n`);
    write(`${folder}/size`, `${2 ** 21}\n`);
    write(
      `${folder}/uevent`,
      `MAJOR=254\nMINOR=${number}\nDEVNAME=vda${number}\nDEVTYPE=partition\nPARTN=${number}\nPARTNAME=${partition}\n`,
    );
    fs.symlinkSync(`../../devices/vda/vda${number}`, join(root, `sys/dev/block/254:${number}`));
  }
  fs.mkdirSync(join(root, "sys/class/block"), { recursive: true });
  fs.symlinkSync("../../devices/vda", join(root, "sys/class/block/vda"));
  for (const partition of partitions) {
    const name = `vda${numberOf(partition)}`;
    fs.symlinkSync(`../../devices/vda/${name}`, join(root, "sys/class/block", name));
  }
  const mounts = Object.entries(mountPoints).map(
    ([partition, point]) =>
      `2${numberOf(partition)} 1 254:${numberOf(partition)} / ${point} rw,relatime - ext4 /dev/vda${numberOf(partition)} rw\n`,
  );
  write("dev/vda10", "");
  write("proc/self/mountinfo", mounts.join(""));
  write("proc/cmdline", "root=/dev/vda5 dfinity.system=A\n");
  write("proc/sys/kernel/hostname", "node-1\n");
  write("proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
  write("etc/hostname", "localhost\n");
  write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\n");
  write("etc/group", "root:x:0:\nadmin:x:1000:\n");
  fs.mkdirSync(join(root, "etc/ssh"));
  fs.mkdirSync(join(root, "etc/node_exporter"));
  write("boot/config/CONFIGURED", "");
  write("boot/config/network.conf", "ipv6_address=2001:db8::17/64\nipv6_gateway=fe80::1\nname_servers=2001:db8::53\nhostname=node-1\n");
}
