import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "../../src/base/schema.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { tool } from "../../lab/tool.ts";
import { shippedExtent } from "../../image/update/update-content.ts";
import type { Extent } from "../../image/extent.ts";
import { BOOT_TIMEOUT, kernelBoot, untilBooted } from "../vm/support/node.ts";
import { startedByGrub, testImage, type TestImage } from "../vm/support/upgrade.ts";
import { openWriteLog } from "./log-writes.ts";
import { COPY_TIMEOUT, recorded, replayed } from "./record.ts";
import { crashFolder, firstBoot, type Recording } from "./recording.ts";

/** What is in the partitions of a slot. */
export interface System {
  readonly boot: Extent;
  readonly root: Extent;
}

/** An upgrade of the node whose first boot was recorded: in two parts, because a log belongs to one run of the machine. */
export interface RecordedUpgrade {
  /** On A: `upgrade install`, `upgrade commit`, and an orderly end. */
  readonly install: Recording;
  /** B, by firmware and GRUB: its trial, up to `upgrade confirm`. */
  readonly trial: Recording;
  readonly update: Pick<TestImage, "path" | "sha256" | "bytes">;
  /** Of A, as it was shipped, and of the update. */
  readonly systems: { readonly old: System; readonly new: System };
}

export const upgradeFolder = join(crashFolder, "upgrade");
const VERSION = "0.2.0";
const NAME = "crash-recording-upgrade";

const file = (name: string): string => join(upgradeFolder, name);
const FACTS = file("recording.json");
const UPDATE = file("update.tar");
const Facts = z.object({ id: z.string(), firstBoot: z.string(), from: z.number(), sha256: z.string(), bytes: z.number() });
type Facts = z.infer<typeof Facts>;

/** The recording that is there, where it goes on from the first boot that is there; else a new one. @param say told of what takes time */
export async function recordedUpgrade(say: (line: string) => void): Promise<RecordedUpgrade> {
  const before = await firstBoot(say);
  const known = existsSync(FACTS) ? Facts.parse(JSON.parse(await readFile(FACTS, "utf8"))) : undefined;
  if (known !== undefined && known.firstBoot !== before.id)
    say("the upgrade that was recorded is of another first boot: it is recorded again");
  const { id, from, sha256, bytes } = known?.firstBoot === before.id ? known : await recordAnew(before);
  const old: System = { boot: shippedExtent("A_boot"), root: shippedExtent("A_root") };
  return {
    install: { id, medium: before.medium, base: file("before-install.img"), log: file("install.log"), from },
    trial: { id, medium: before.medium, base: file("before-trial.img"), log: file("trial.log"), from: 0 },
    update: { path: UPDATE, sha256, bytes },
    systems: {
      old,
      new: { boot: { ...old.boot, path: file("boot.img"), offset: 0 }, root: { ...old.root, path: file("root.img"), offset: 0 } },
    },
  };
}

async function recordAnew(before: Recording): Promise<Facts> {
  await rm(upgradeFolder, { recursive: true, force: true });
  await mkdir(upgradeFolder, { recursive: true });
  const { path, sha256, bytes } = await testImage(VERSION);
  await copyFile(path, UPDATE);
  await tool("tar", ["--extract", "--file", UPDATE, "--directory", upgradeFolder, "boot.img", "root.img"], { timeout: COPY_TIMEOUT });
  const [beforeInstall, beforeTrial] = [file("before-install.img"), file("before-trial.img")];
  await replayed(before.base, before.log, beforeInstall);
  const from = await withPanicRetry(async () => recordInstall(beforeInstall, { sha256, bytes }));
  await replayed(beforeInstall, file("install.log"), beforeTrial);
  await withPanicRetry(async () => recordTrial(beforeTrial));
  const facts: Facts = { id: new Date().toISOString(), firstBoot: before.id, from, sha256, bytes };
  await writeFile(FACTS, `${JSON.stringify(facts)}\n`);
  return facts;
}

/** @returns the entry with which the upgrade begins */
async function recordInstall(base: string, { sha256, bytes }: Pick<TestImage, "sha256" | "bytes">): Promise<number> {
  const log = file("install.log");
  const options = { boot: await kernelBoot(), extraDisks: [{ path: UPDATE, format: "raw" }] } as const;
  return recorded(NAME, base, log, options, async (vm) => {
    await untilBooted(vm);
    await vm.shell.ok("echo of the node >/var/lib/ic/data/kept && sync");
    using until = openWriteLog(log);
    const timeout = { timeout: BOOT_TIMEOUT };
    await vm.shell.ok(`head -c ${bytes} /dev/vdb | guestos-boot upgrade install --sha256 ${sha256} -`, timeout);
    await vm.shell.ok("guestos-boot upgrade commit --no-reboot", timeout);
    const ended = await vm.shutdown();
    if (ended !== "clean") throw new Error(`the machine whose upgrade was recorded did not end by itself:\n${vm.serial.tail()}`);
    return until.entries.length;
  });
}

async function recordTrial(base: string): Promise<void> {
  await recorded(NAME, base, file("trial.log"), {}, async (vm) => {
    const started = await startedByGrub(vm);
    if (started !== "B (failsafe_check)") throw new Error(`GRUB started ${started}`);
    await untilBooted(vm);
    await vm.shell.ok("guestos-boot upgrade confirm", { timeout: BOOT_TIMEOUT });
    // What is only in the page cache is part of the story too.
    await vm.shell.ok("sync");
  });
}
