import { join } from "node:path";
import { hash } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { ProblemError } from "../../base/problem.ts";
import { provision, type Action } from "../../boot/unit.ts";
import { type ConfigIniFile } from "../../config/setup/config-ini.ts";
import { NODE_ACCOUNTS, NODE_FILES, readNodeFolder } from "../../config/setup/node-folder.ts";
import { readStickImages, type StickImages } from "../../setupos/images.ts";
import { type InstallPlan, planInstall, requireTargets } from "../../setupos/install-plan.ts";
import { type Phase, recordDigest, removeInstallRecord, writeInstallRecord } from "../../setupos/install-record.ts";
import type { PlannedDrive } from "../../setupos/disk-plan.ts";
import { sizeText } from "../../setupos/sizes.ts";
import type { NodeDrives } from "../../setupos/volumes.ts";
import { refuseProblems } from "../../setupos/several-problems.ts";
import { type Archive, bootLoaderOf, type WriteProgress } from "../../setupos/write-disk.ts";
import { syncDevices } from "../../system/disks/sync.ts";
import type { Machine } from "../machine.ts";
import { stickOf } from "./stick.ts";

/** All that the installing units work with. */
export interface Installation {
  readonly plan: InstallPlan;
  readonly images: StickImages;
  readonly hostos: Archive;
  readonly guestos: Archive;
  readonly configIni: ConfigIniFile | undefined;
}

/** Reads what is to be installed, and decides on the drives. It only reads. */
export async function installationOf(machine: Machine): Promise<Installation> {
  const { host, layout } = machine;
  const stick = stickOf(machine);
  const images = await readStickImages(host, stick.images);
  const { configIni, mistakes } = await readNodeFolder(host, stick.config.mountPoint, stick.data.mountPoint);
  // It was there when the configuration was made. What cannot be read now may ask for a rehearsal.
  if (configIni === undefined) refuseProblems("the configuration on the stick cannot be used", mistakes);
  const config = layout.hostosConfig === undefined ? undefined : await host.readBytes(layout.hostosConfig);
  if (config === undefined) throw new ProblemError({ code: "node-config-missing", what: "the node's configuration was not made yet" });
  const keys = await accountKeys(machine);
  const input = recordDigest([
    hash("sha256", config),
    images.hostos.sha256,
    images.guestos.sha256,
    ...[...keys].map(([name, content]) => `${name} ${hash("sha256", content)}`),
  ]);
  const hostos: Archive = { file: stick.archives.hostos, image: images.hostos };
  return {
    plan: await planInstall(host, input, configIni?.config.replace_installed, async () => bootLoaderOf(host, hostos)),
    ...{ images, configIni, hostos },
    guestos: { file: stick.archives.guestos, image: images.guestos },
  };
}

/** The keys of the host's accounts on the stick, by account. */
export async function accountKeys(machine: Machine): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = join(stickOf(machine).config.mountPoint, NODE_FILES.keys);
  const keys = new Map<string, Uint8Array>();
  for (const name of NODE_ACCOUNTS) {
    const content = await machine.host.readBytes(join(folder, name));
    if (content !== undefined) keys.set(name, content);
  }
  return keys;
}

/** @throws ProblemError when the drives may not be taken as they are; what each one is, and would be, is noted before */
export function refuseDrives({ note }: Machine, plan: InstallPlan): void {
  const { drives, mistakes } = plan;
  if (mistakes.length === 0) return;
  for (const drive of drives) if (drive.takenAs !== undefined) note(driveText(drive));
  for (const text of leftTexts(plan)) note(text);
  refuseProblems("the drives cannot be taken", mistakes);
}

/** A drive that is taken, and what is lost with it, for people. */
export function driveText({ device, takenAs, lost }: PlannedDrive): string {
  const losses = lost.map(({ path, bytes, holds }) => `${path} ${sizeText(bytes)} ${holds}`);
  return `${nameOf(device)}, taken as ${takenAs}; ${losses.length === 0 ? "nothing is found on it" : `lost with it: ${losses.join("; ")}`}`;
}

/** The drives that are left, and why, for people. */
export function leftTexts({ drives }: InstallPlan): readonly string[] {
  return drives
    .filter(({ takenAs }) => takenAs === undefined)
    .map(({ device, leftBecause }) => `${nameOf(device)} is left: ${leftBecause}`);
}

function nameOf({ path, bytes, model, serial }: PlannedDrive["device"]): string {
  const facts = [sizeText(bytes), model, serial === undefined ? undefined : `serial ${serial}`].filter((fact) => fact !== undefined);
  return `${path} (${facts.join(", ")})`;
}

/** The drives of the plan as LVM sees them. */
export function nodeDrives({ targets }: InstallPlan): NodeDrives {
  const [system, ...others] = targets;
  if (system === undefined) throw new Error("no drive to install on");
  return { system, others };
}

/** An action on the drives of a plan, which are compared with it before. */
export function onDrives({ host }: Machine, plan: InstallPlan, description: string, run: () => Promise<void>): Action {
  return provision(description, async () => {
    await requireTargets(host, plan.targets);
    await run();
  });
}

/**
 * Notes on the system drive how far the installation is, once all that it names has reached the drives. As it begins, records of earlier ones
 * are taken away from the other drives: of two, none would count.
 */
export function notePhase(machine: Machine, plan: InstallPlan, phase: Phase, description: string): Action {
  const { system, others } = nodeDrives(plan);
  return onDrives(machine, plan, `note on ${system.path} ${description}`, async () => {
    await syncDevices(
      machine.host,
      plan.targets.map(({ path }) => path),
    );
    if (phase === "begun") for (const { path } of others) await removeInstallRecord(machine.host, path);
    await writeInstallRecord(machine.host, system.path, { ...plan.record, phase });
  });
}

/** Milliseconds between two notes of how far a unit is. */
const PACE = 1000;

/** Notes how far a unit is, for the screen. A note that fails stops nothing. @param unit its name */
export function progressOf(machine: Machine, unit: string): (progress: WriteProgress) => void {
  const folder = stickOf(machine).progress;
  let last = -Infinity;
  let writing: Promise<void> | undefined;
  return (progress) => {
    const now = systemClock.now();
    if (writing !== undefined || (now - last < PACE / 1000 && progress.done < progress.total)) return;
    last = now;
    writing = (async () => {
      try {
        await machine.host.makeFolder(folder, { mode: 0o755 });
        await machine.host.writeFile(join(folder, `${unit}.json`), JSON.stringify({ ...progress, at: now }), { mode: 0o644 });
      } catch {
        // The screen then shows less.
      } finally {
        writing = undefined;
      }
    })();
  };
}
