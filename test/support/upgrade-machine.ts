import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Layout } from "../../src/config/layout/layout.ts";
import type { ByteSource } from "../../src/system/files/byte-source.ts";
import type { Command } from "../../src/system/command.ts";
import { type Host, systemHost } from "../../src/system/host.ts";
import { install, type Installed, type InstallRequest } from "../../src/upgrade/install.ts";
import type { Place, SlotPlaces } from "../../src/upgrade/slot-places.ts";
import { pieces } from "./raw-tar.ts";
import { testLayout } from "./test-layout.ts";
import { randomBytes } from "node:crypto";
import { canary, ran } from "./canaries.ts";

export interface UpgradeMachineOptions {
  /** Bytes. */
  readonly bootBytes?: number;
  readonly rootBytes?: number;
  readonly varBytes?: number;
  readonly grubenv?: string;
  /** The version that runs. */
  readonly version?: string;
  readonly signal?: AbortSignal;
}

export interface UpgradeMachine extends Disposable {
  readonly root: string;
  readonly host: Host;
  readonly layout: Layout;
  readonly places: SlotPlaces;
  /** Tools that were run. */
  readonly tools: readonly Command[];
  readonly install: (source: ByteSource, request?: Partial<InstallRequest>, over?: Partial<Host>) => Promise<Installed>;
  /** What an install must never change: the running slot, grubenv. */
  readonly untouchable: () => string;
  readonly read: (name: PartitionName) => Buffer;
}

export type PartitionName = "A_boot" | "A_root" | "A_var" | "B_boot" | "B_root" | "B_var";

const MIB = 1024 * 1024;

export function grubenvText(alternative: string, cycle: string): string {
  return `# GRUB Environment Block\nboot_alternative=${alternative}\nboot_cycle=${cycle}\n`.padEnd(1024, "#");
}

/** A machine that runs system A, with files for partitions. /dev/shm, where it can be: nothing here tests a disk. */
export function upgradeMachine(options: UpgradeMachineOptions = {}): UpgradeMachine {
  const base = statSync("/dev/shm", { throwIfNoEntry: false }) === undefined ? tmpdir() : "/dev/shm";
  const root = mkdtempSync(join(base, "guestos-upgrade-"));
  const layout = testLayout(root);
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  const sizes = { boot: options.bootBytes ?? MIB, root: options.rootBytes ?? 2 * MIB, var: options.varBytes ?? 64 * 1024 };
  const file = (name: string): string => join(root, "dev", name);
  for (const kind of ["boot", "root", "var"] as const) {
    put(file(`A_${kind}`), `the running ${kind}`);
    put(file(`B_${kind}`), Buffer.alloc(sizes[kind], `B${kind}.`));
  }
  put(layout.grubenv, options.grubenv ?? grubenvText("A", "stable"));
  put(layout.versionFile, `${options.version ?? "1.0.0"}\n`);
  put(join(layout.config.intents, "var-B.json"), "{}");
  put(layout.config.storeKey, canary("the store key", randomBytes(64)));
  const tools: Command[] = [];
  const real = systemHost({
    signal: options.signal ?? new AbortController().signal,
    onTool: (command) => {
      tools.push(command);
      return () => undefined;
    },
  });
  const host: Host = {
    ...real,
    readText: async (path) => (path === "/proc/cmdline" ? "quiet dfinity.system=A\n" : real.readText(path)),
  };
  const place = (name: string, bytes: number): Place => ({ path: file(name), bytes, kind: "file" });
  const places = { boot: place("B_boot", sizes.boot), root: place("B_root", sizes.root), var: place("B_var", sizes.var) };
  return {
    ...{ root, host, layout, places, tools },
    install: async (source, request = {}, over = {}) => {
      ran();
      return install(
        { ...host, ...over },
        layout,
        { source, trust: { kind: "insecure" }, allowDowngrade: false, onProgress: () => undefined, ...request },
        async () => places,
      );
    },
    untouchable: () =>
      [layout.grubenv, file("A_boot"), file("A_root"), file("A_var")].map((path) => readFileSync(path).toString("latin1")).join("\n"),
    read: (name) => readFileSync(file(name)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Bytes in memory as a source, in pieces of that size. */
export function bytesSource(bytes: Uint8Array, size?: number): ByteSource {
  return { name: "update.tar", size: () => bytes.length, chunks: pieces(bytes, size) };
}
