import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { activate, type Plan } from "../../boot/unit.ts";
import { runJob, unitState } from "../../system/systemd/systemd.ts";
import type { Machine } from "../machine.ts";
import { notStartable } from "./not-startable.ts";

/** A file that a service reads. */
export interface ServiceFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** A service whose files are made at each boot, because the root is read-only. */
export interface ConfiguredService {
  /** The name of its systemd unit. */
  readonly service: string;
  /** The files that it is started with. The last one names the others, and puts them in force. */
  readonly files: readonly [...ServiceFile[], ServiceFile];
  /** How a running service takes up new files. */
  readonly renew: "reload" | "restart";
  /** Its task, in the words of a plan: "start nginx.service, to " comes before it. */
  readonly does: string;
  /** Has the service's own program check the last file, a copy of which is at that path. @throws ProblemError when it is refused */
  readonly check?: (path: string) => Promise<void>;
  /** Told to the operator when the files are put in force. */
  readonly notes?: readonly string[];
}

/** A service that is "reloading" still serves. */
const RUNNING: readonly string[] = ["active", "reloading"];

/**
 * The actions after which the service runs with those files.
 *
 * The check comes before the last file, which puts the others in force, is replaced. So a refused file leaves the service, running or not,
 * as it was. A digest records that the service took the files up, so that the next run repeats a reload that was cut off or failed.
 */
export async function planConfiguredService(machine: Machine, configured: ConfiguredService): Promise<Plan> {
  const { host } = machine;
  const { service, files } = configured;
  const { load, active } = await unitState(host, service);
  if (load !== "loaded") return notStartable(service, load);
  const isRunning = RUNNING.includes(active);
  const isTakenUp = (await host.readText(takenUpPath(machine, service))) === digestOf(files);
  if (isRunning && isTakenUp && (await areThere(machine, files))) return [];
  // systemd may be starting it now, with the old files: a start would only wait for the end of that job.
  const verb = isRunning ? configured.renew : active === "activating" ? "restart" : "start";
  return [activate(`${verb} ${service}, to ${configured.does}`, () => configure(machine, configured, verb))];
}

/** The reverse, for a service that is no longer wanted: stops it and removes its file. No actions where there is no such file. */
export async function planUnconfiguredService(machine: Machine, service: string, path: string, why: string): Promise<Plan> {
  const { host } = machine;
  if ((await host.stat(path)) === undefined) return [];
  return [
    activate(`stop ${service}: ${why}`, async () => {
      await runJob(host, "stop", service);
      await host.remove(takenUpPath(machine, service));
      await host.remove(path);
    }),
  ];
}

async function configure(
  machine: Machine,
  { service, files, check, notes = [] }: ConfiguredService,
  verb: "start" | ConfiguredService["renew"],
): Promise<void> {
  const { host, layout } = machine;
  const last = files.at(-1);
  if (last === undefined) return;
  for (const file of files.slice(0, -1)) await writeServiceFile(machine, file);
  if (check !== undefined) {
    // A refused file stays where it is, so that the operator can read it.
    const candidate = `${last.path}.new`;
    await writeServiceFile(machine, { ...last, path: candidate });
    await check(candidate);
    await host.remove(candidate);
  }
  await writeServiceFile(machine, last);
  for (const text of notes) machine.note(text);
  await runJob(host, verb, service);
  await host.makeFolder(layout.run, { mode: 0o755 });
  await host.writeFile(takenUpPath(machine, service), digestOf(files), { mode: 0o644 });
}

/** Makes the folder as well. */
export async function writeServiceFile({ host }: Machine, { path, content, mode }: ServiceFile): Promise<void> {
  await host.makeFolder(dirname(path), { mode: 0o755 });
  await host.writeFile(path, content, { mode, uid: 0, gid: 0 });
}

/** Whether all files are there with the wanted content and mode. */
export async function areThere({ host }: Machine, files: readonly ServiceFile[]): Promise<boolean> {
  for (const { path, content, mode } of files) {
    const facts = await host.stat(path);
    if (facts?.kind !== "file" || facts.mode !== mode) return false;
    if (!Buffer.from((await host.readBytes(path)) ?? []).equals(Buffer.from(content))) return false;
  }
  return true;
}

/** The file that records what the service last took up: a digest, because the files may hold a key. */
function takenUpPath({ layout }: Machine, service: string): string {
  return join(layout.run, `${service}.configured`);
}

function digestOf(files: readonly ServiceFile[]): string {
  const hash = createHash("sha256");
  for (const { path, content } of files) {
    const bytes = Buffer.from(content);
    hash.update(`${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}
