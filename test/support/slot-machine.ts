import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Layout, Slot } from "../../src/config/layout/layout.ts";
import { type Host, systemHost } from "../../src/system/host.ts";
import { blockOf, type BootState, grubBoot, readBootState } from "../../src/upgrade/boot-state.ts";
import { readSlotRecord, type SlotRecord, writeSlotRecord } from "../../src/upgrade/slot-state.ts";
import { namespaceRoot } from "./namespace.ts";
import { testLayout } from "./test-layout.ts";

/** A machine's GRUB and config partitions as a folder, and a GRUB that boots from it. */
export interface SlotMachine {
  readonly layout: Layout;
  readonly host: Host;
  /** What GRUB reads. */
  readonly state: () => BootState;
  /** GRUB's turn, and then the kernel's command line says what it booted. */
  readonly boot: () => Slot;
  readonly record: (slot: Slot) => Promise<SlotRecord | undefined>;
  readonly setBlock: (block: Uint8Array | undefined) => void;
}

export const HASH = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
const AT = "2026-11-20T14:00:00.000Z";

export const installed: SlotRecord = {
  ...{ kind: "installed", install: "0b4e7a3c-51f5-4b7e-9a3e-0d7f8d3f5a11", version: "2.0.0", sha256: HASH, at: AT },
  boot: { bytes: 1024, digest: HASH },
  root: { bytes: 4096, digest: HASH },
};
export const proven: SlotRecord = { kind: "proven", version: "1.0.0", at: AT };

export interface SlotMachineOptions {
  readonly state?: BootState | undefined;
  readonly records?: Partial<Readonly<Record<Slot, SlotRecord>>>;
  readonly running?: Slot;
}

/** A machine that runs A, stable and proven, unless it is told otherwise. `state: undefined` is one without grubenv. */
export async function slotMachine(options: SlotMachineOptions = {}): Promise<SlotMachine> {
  const root = namespaceRoot();
  const layout = testLayout(root);
  let running = options.running ?? "A";
  let isTrial = false;
  for (const path of [layout.grubenv, join(layout.config.slots, "x"), layout.versionFile]) mkdirSync(dirname(path), { recursive: true });
  writeFileSync(layout.versionFile, "1.0.0\n");
  const real = systemHost({ signal: new AbortController().signal });
  const host: Host = {
    ...real,
    readText: async (path) =>
      path === "/proc/cmdline" ? `ro dfinity.system=${running} quiet${isTrial ? " guestos-boot.trial" : ""}\n` : real.readText(path),
  };
  const read = (): Uint8Array | undefined => (existsSync(layout.grubenv) ? readFileSync(layout.grubenv) : undefined);
  const setBlock = (block: Uint8Array | undefined): void => (block === undefined ? undefined : writeFileSync(layout.grubenv, block));
  const state = "state" in options ? options.state : { alternative: "A" as const, cycle: "stable" as const, trial: undefined };
  if (state !== undefined) setBlock(blockOf(state, ["other=1"]));
  for (const [slot, record] of Object.entries(options.records ?? { A: proven })) {
    if (record !== undefined) await writeSlotRecord(host, layout, slot === "A" ? "A" : "B", record);
  }
  return {
    layout,
    host,
    setBlock,
    state: () => readBootState(read()).state,
    record: async (slot) => readSlotRecord(host, layout, slot),
    boot() {
      rmSync(layout.run, { recursive: true, force: true });
      isTrial = readBootState(read()).state.cycle === "first_boot";
      const booted = grubBoot(read());
      setBlock(booted.block);
      running = booted.slot;
      return running;
    },
  };
}
