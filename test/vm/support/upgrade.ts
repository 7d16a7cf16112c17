import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as z from "../../../src/base/schema.ts";
import type { ProfileName } from "../../../src/profiles/profiles.ts";
import { inTemporaryFolder } from "../../../image/tools.ts";
import { buildFolder, image, stateFolder } from "../../../image/paths.ts";
import { makeDisk } from "../../../lab/disk.ts";
import { GuestPanicError } from "../../../lab/problems.ts";
import { contentOf } from "../../../image/update/update-content.ts";
import { updateTar } from "../../../image/update/update-tar.ts";
import { hashed } from "../../../image/update/write-update.ts";
import { startVirtualMachine, type VirtualMachineOptions } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { BOOT_TIMEOUT, diskOf } from "./node.ts";

export interface TestImage {
  readonly version: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The system of the disk image with another version, as a plain tar: an emulated guest decompresses slowly, and other tests have it do that. @param change edits its root image */
export async function testImage(
  version: string,
  change?: (root: string) => Promise<void>,
  profile: ProfileName = "guestos",
): Promise<TestImage> {
  const folder = join(buildFolder, "vm", "updates");
  await mkdir(folder, { recursive: true });
  // Its own for each test file: they run beside each other.
  const path = join(folder, `${version}-${process.pid}.tar`);
  process.once("exit", () => void rm(path, { force: true }));
  return inTemporaryFolder(folder, async (work) => {
    const content = await contentOf(profile, version, "lab", work, change);
    const { stream, written } = hashed();
    await pipeline(Readable.from(updateTar(content)), stream, createWriteStream(path));
    return { version, path, ...written() };
  });
}

/** An image that guests can fetch. */
export interface Server {
  /** As the guest sees the host. */
  readonly url: string;
  /** Waits until so many bytes have been sent, of all requests together. */
  readonly sent: (bytes: number) => Promise<void>;
  readonly close: () => void;
}

/** Serves an image to guests, with ranges. @param keys as PEM: then by https alone */
export async function serve({ path, bytes }: TestImage, keys?: { readonly key: string; readonly cert: string }): Promise<Server> {
  let sent = 0;
  const waiting = new Set<() => void>();
  const answer: RequestListener = (request, response) => {
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const start = Number(from ?? 0);
    const range = from === undefined ? {} : { "content-range": `bytes ${start}-${bytes - 1}/${bytes}` };
    response.writeHead(from === undefined ? 200 : 206, { "content-length": bytes - start, etag: '"image"', ...range });
    const content = createReadStream(path, { start });
    content.on("data", (piece) => {
      sent += piece.length;
      for (const check of waiting) check();
    });
    content.pipe(response);
  };
  const server = keys === undefined ? createServer(answer) : createTlsServer(keys, answer);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `${keys === undefined ? "http" : "https"}://10.0.2.2:${port}/update.tar`,
    sent: async (wanted) => {
      const reached = Promise.withResolvers<void>();
      const check = (): void => {
        if (sent >= wanted) reached.resolve();
      };
      waiting.add(check);
      check();
      await reached.promise;
      waiting.delete(check);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A new disk over another one, which stays as it is. */
export async function diskOver(base: string, name: string): Promise<string> {
  return makeDisk({ backing: base, path: diskOf(name) });
}

export async function newDisk(name: string): Promise<string> {
  return makeDisk({ backing: image.disk, path: diskOf(name), size: "8G" });
}

/**
 * Starts a machine by firmware and GRUB. A restart of the guest ends it (`ended`): the next boot is a new QEMU on the same disk, for in
 * one that goes on the emulator's cache of translated code makes the firmware take minutes.
 */
export async function start(
  name: string,
  disk: string,
  options: Partial<Omit<VirtualMachineOptions, "name" | "disk">> = {},
): Promise<VirtualMachine> {
  const vm = await startVirtualMachine({ ...options, name, disk: { path: disk } });
  await vm.qmp("set-action", { reboot: "shutdown" });
  return vm;
}

/** What GRUB says that it starts: "B (failsafe_check)". */
export async function startedByGrub(vm: VirtualMachine): Promise<string> {
  const [, text = ""] = await vm.waitForSerial(/Starting system ([AB] \(\w+\))/, { timeout: BOOT_TIMEOUT });
  return text;
}

/** Waits for a guest that restarts itself; a panic of its kernel is no failure here, unless it is the emulator's. @throws GuestPanicError */
export async function untilRestart(vm: VirtualMachine, timeout: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`the machine ${vm.name} did not restart in time:\n${vm.serial.tail()}`)), timeout);
  try {
    await Promise.race([vm.ended, late.promise]);
  } finally {
    clearTimeout(timer);
    await vm.powerCut();
  }
  if (vm.failure instanceof GuestPanicError) throw vm.failure;
}

const Slot = z.looseObject({ kind: z.string(), version: z.optional(z.string()), sha256: z.optional(z.string()) });
const Upgrade = z.object({
  running: z.string(),
  version: z.string(),
  phase: z.string(),
  next: z.string(),
  grubenv: z.object({ alternative: z.string(), cycle: z.string(), trial: z.optional(z.string()), faults: z.array(z.string()) }),
  slots: z.object({ A: Slot, B: Slot }),
  toDo: z.array(z.string()),
  refused: z.array(z.object({ sha256: z.string(), reason: z.string() })),
});
export type UpgradeDocument = z.infer<typeof Upgrade>;

/** `guestos-boot upgrade --json`. */
export async function upgradeOf(vm: VirtualMachine): Promise<UpgradeDocument> {
  return Upgrade.parse(await vm.shell.json("guestos-boot upgrade --json", { timeout: BOOT_TIMEOUT }));
}

/** What no upgrade and no fall-back may change, besides versions and slots. */
const KEPT: Readonly<Record<string, string>> = {
  "the machine id": "cat /etc/machine-id",
  "the host keys and the exporter's": "cd /etc && find ssh/*_key* node_exporter -type f -exec sha256sum {} + | sort -k 2",
  "the node's data": "cd /var/lib/ic && find . -printf '%p %y %m %U:%G\\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2",
  "the store": "lsblk --list --noheadings --output NAME,TYPE,FSTYPE,UUID /dev/disk/by-partlabel/store | sort",
  "the configuration":
    "cd /boot/config && find . -type f ! -path './slots/*' ! -name 'var-?.json' -exec sha256sum {} + | sort -k 2 && ls -l --time-style=+ store.keyfile",
};

export async function kept(vm: VirtualMachine): Promise<Readonly<Record<string, string>>> {
  const state: Record<string, string> = {};
  for (const [what, script] of Object.entries(KEPT)) state[what] = await vm.shell.ok(script);
  return state;
}

/** Keeps the disk of a running machine as it is at this moment; the machine goes on with a new one over it. */
export class Snapshots {
  #vm: VirtualMachine;
  readonly #name: string;
  #file: string;
  #node = "disk0";
  #count = 0;

  constructor(vm: VirtualMachine, name: string, disk: string) {
    this.#vm = vm;
    this.#name = name;
    this.#file = disk;
  }

  /** The disk that the machine writes to now. */
  get file(): string {
    return this.#file;
  }

  /** Goes on with the machine that was started again on `file`. */
  restarted(vm: VirtualMachine): void {
    this.#vm = vm;
    this.#node = "disk0";
  }

  /** @returns the disk as it was: every write that the guest saw done, as after QEMU's sudden death */
  async take(): Promise<string> {
    this.#count += 1;
    const next = join(stateFolder(this.#name), `after-${this.#count}.qcow2`);
    await rm(next, { force: true });
    const node = `after-${this.#count}`;
    await this.#vm.qmp("blockdev-snapshot-sync", { "node-name": this.#node, "snapshot-file": next, "snapshot-node-name": node });
    const frozen = this.#file;
    this.#file = next;
    this.#node = node;
    return frozen;
  }
}
