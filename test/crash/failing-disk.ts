import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bootReport, consoleEvents, hasEnded } from "../../lab/console.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { stateFolder } from "../../image/paths.ts";
import { tool } from "../../lab/tool.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import { configAtCut } from "./config-at-cut.ts";
import { type Booted, type Judge, onOverlay } from "./explorer.ts";
import { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";
import { shortBoot } from "./recovered.ts";
import { blkdebugRules, failureFaults, faultName, type WriteFault } from "./write-faults.ts";

/** What a first boot on a failing disk, and the next one on a good one, came to: a line of the results. */
export interface FailingDisk {
  readonly recording: string;
  readonly fault: string;
  /** Units that did not do what they should on the failing disk, and what was said of it. */
  readonly failed: readonly string[];
  readonly said: readonly string[];
  /** What the boot after it did that lasts. */
  readonly redone: readonly string[];
  readonly seconds: { readonly failing: number; readonly boot: number };
  /** What does not hold; nothing when all does. */
  readonly faults: readonly string[];
}

/** For a boot that only ends when every attempt has failed. Milliseconds. */
const TIMEOUT = 900_000;
const COPY_TIMEOUT = 600_000;

/**
 * Boots a new node on a disk that fails, and then on the same disk, which does not fail any more.
 *
 * @param judge of boots after a first boot that was not finished
 */
export async function failingDisk(machine: string, recording: Recording, judge: Judge, fault: WriteFault): Promise<FailingDisk> {
  const folder = stateFolder(machine);
  await mkdir(folder, { recursive: true });
  const path = join(folder, "failing.img");
  const start = performance.now();
  const first = await withPanicRetry(async () => {
    await tool("cp", ["--sparse=always", recording.base, path], { timeout: COPY_TIMEOUT });
    return failingBoot(machine, path, recording.medium, fault);
  }).catch((error: unknown) => ({ failed: [], said: [], faults: [`the boot on the failing disk did not end: ${textOf(error)}`] }));
  const then = performance.now();
  try {
    using disk = new RawDisk(path);
    const config = await configAtCut(disk, join(folder, "config-at-cut.img"));
    const next = await onOverlay(machine, disk, async (overlay) => judge(machine, overlay, { disk, config })).catch(
      (error: unknown): Booted => ({ redone: [], faults: [`the boot after it did not end: ${textOf(error)}`] }),
    );
    return {
      ...{ recording: recording.id, fault: faultName(fault), ...first, redone: next.redone },
      seconds: { failing: seconds(then - start), boot: seconds(performance.now() - then) },
      faults: [...first.faults, ...next.faults],
    };
  } finally {
    await rm(path, { force: true });
  }
}

async function failingBoot(
  machine: string,
  path: string,
  medium: string,
  fault: WriteFault,
): Promise<Pick<FailingDisk, "failed" | "said" | "faults">> {
  const faults = join(stateFolder(machine), "blkdebug.conf");
  await writeFile(faults, blkdebugRules(fault));
  await using vm = await startVirtualMachine({
    ...{ name: machine, disk: { path, format: "raw", faults }, boot: await shortBoot() },
    media: [{ id: "config", image: medium }],
  });
  const events = await vm.waitFor("the boot chain to end", TIMEOUT, () => {
    const now = consoleEvents(vm.serial.text);
    return hasEnded(bootReport(now)) ? now : undefined;
  });
  const bad = bootReport(events).units.filter(({ outcome }) => outcome === "failed" || outcome === "degraded");
  return {
    failed: bad.map(({ name, outcome, detail = "" }) => `${name} ${outcome}: ${detail}`),
    said: events.flatMap((event) => (event.kind === "text" ? [event.text] : [])),
    faults: failureFaults(events),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
