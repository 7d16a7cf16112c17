import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Host, systemHost } from "../../src/system/host.ts";

/** A network of its own, with its own /run and /sys, for real tools to work on. */
export interface NetworkNamespace {
  /** Its first process. */
  readonly pid: number;
  /** The machine inside: files and tools are those of the namespace. eth0, eth1 and so on, if they are there, count as devices. */
  readonly host: Host;
  /** Runs a tool inside and returns what it printed. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  /** Starts a program inside that runs until it is stopped, or the namespace is. */
  readonly start: (program: string, args?: readonly string[], env?: Readonly<Record<string, string>>) => ChildProcess;
  readonly stop: () => Promise<void>;
}

/** /sys is read-only, which tells networkd that there is no udev to wait for. */
const PREPARE =
  "mount -t tmpfs -o mode=0755 tmpfs /run && mount -t sysfs -o ro sysfs /sys && ip link set lo up && echo ready && exec sleep infinity";

export async function networkNamespace(): Promise<NetworkNamespace> {
  const first = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", PREPARE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await Promise.race([once(createInterface({ input: first.stdout }), "line"), once(first, "exit")])) as [unknown];
  const { pid } = first;
  if (line !== "ready" || pid === undefined) throw new Error("no network namespace: this test needs root");
  const entered = ["--target", String(pid), "--net", "--mount", "--"];
  const host = hostInside(pid, entered);
  const started: ChildProcess[] = [];
  return {
    pid,
    host,
    run: async (program, ...args) => (await host.run({ program, args })).stdout,
    start(program, args = [], env = {}) {
      const child = spawn("setpriv", ["--pdeathsig", "KILL", "nsenter", ...entered, program, ...args], {
        stdio: "ignore",
        env: { ...process.env, ...env },
      });
      started.push(child);
      return child;
    },
    async stop() {
      await Promise.all([...started, first].map(ended));
    },
  };
}

/** Kills a child and waits for its end. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** As on a node whose system bus runs: name servers can be asked. */
export async function namespaceWithBus(): Promise<NetworkNamespace> {
  const inside = await networkNamespace();
  await inside.run("mkdir", "-p", "/run/systemd/units");
  await inside.run("ln", "-s", "0123", "/run/systemd/units/invocation:dbus.service");
  return inside;
}

/** The devices that eth0, eth1 and so on would stand for: PCI functions, of which a veth has none. */
function deviceLink(path: string): string | undefined {
  const [, name = "", number = "", device] = /^\/sys\/class\/net\/(eth(\d))(\/device)?$/.exec(path) ?? [];
  if (name === "") return undefined;
  return device === undefined
    ? `../../devices/pci0000:00/0000:00:0${Number(number) + 1}.0/net/${name}`
    : `../../../0000:00:0${Number(number) + 1}.0`;
}

/** The address of a veth is made up by the kernel; a device's is its own. */
const ASSIGNED = /^\/sys\/class\/net\/eth\d\/addr_assign_type$/;

function hostInside(pid: number, entered: readonly string[]): Host {
  const host = systemHost({ signal: new AbortController().signal });
  // /proc/net is a link to the reader's own network: the file must be named by the process.
  const inside = (path: string): string =>
    path.startsWith("/proc/net/") ? join(`/proc/${pid}/net`, path.slice("/proc/net/".length)) : join(`/proc/${pid}/root`, path);
  // What is below /proc/sys/net is the reader's own network, too, whatever is named.
  const sysctl = async (path: string): Promise<string | undefined> => {
    const { status, stdout } = await host.run({ program: "nsenter", args: [...entered, "cat", path], okStatuses: [0, 1] });
    return status === 0 ? stdout : undefined;
  };
  return {
    ...host,
    run: async (command) => host.run({ ...command, program: "nsenter", args: [...entered, command.program, ...command.args] }),
    async readText(path) {
      if (path.startsWith("/proc/sys/net/")) return sysctl(path);
      return ASSIGNED.test(path) ? "0\n" : host.readText(inside(path));
    },
    readBytes: async (path) => host.readBytes(inside(path)),
    list: async (path) => host.list(inside(path)),
    readLink: async (path) => deviceLink(path) ?? host.readLink(inside(path)),
    stat: async (path) => host.stat(inside(path)),
    writeFile: async (path, content, attributes) => host.writeFile(inside(path), content, attributes),
    makeFolder: async (path, attributes) => host.makeFolder(inside(path), attributes),
    remove: async (path) => host.remove(inside(path)),
  };
}
