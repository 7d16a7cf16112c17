import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { activate, conflict, type Plan } from "../../boot/unit.ts";
import { runJob, unitState } from "../../system/systemd/systemd.ts";
import type { Machine } from "../machine.ts";

/** A file that a service reads. */
export interface ServiceFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** A service that lives on files which are made for it at each boot, because the root is read-only. */
export interface FedService {
  /** As systemd knows it. */
  readonly service: string;
  /** What it is started with. The last one names the others, and puts them in force. */
  readonly files: readonly [...ServiceFile[], ServiceFile];
  /** How a running one takes up new files. */
  readonly renew: "reload" | "restart";
  /** What it does with them, for people, after "have nginx.service ". */
  readonly does: string;
  /** Whether the service would take the last file, which stands at that path to be looked at. @throws ProblemError when not */
  readonly check?: (path: string) => Promise<void>;
  /** Said when the files are put in force. */
  readonly notes?: readonly string[];
}

/** "reloading": still serving. */
const RUNNING: readonly string[] = ["active", "reloading"];

/**
 * What is missing until the service runs with those files.
 *
 * They are checked before one of those that are in use is replaced: a bad one leaves the service, running or not, as it was. That
 * they were taken up is written down, so that a crash in the middle, or a reload that failed, is made good by the next run.
 */
export async function planFedService(machine: Machine, fed: FedService): Promise<Plan> {
  const { host } = machine;
  const { service, files } = fed;
  const { load, active } = await unitState(host, service);
  if (load !== "loaded") {
    return conflict({
      code: "service-not-startable",
      what: `${service} cannot be started`,
      found: load === "not-found" ? "no unit file" : `its unit file is ${load}`,
      expected: "an image that has it, and lets it be started",
      todo: `systemctl status ${service}`,
    });
  }
  const isRunning = RUNNING.includes(active);
  const isTakenUp = (await host.readText(takenUpPath(machine, service))) === digestOf(files);
  if (isRunning && isTakenUp && (await areThere(machine, files))) return [];
  // systemd may be trying it just now, with what was there before: a start would only wait for how that ends.
  const verb = isRunning ? fed.renew : active === "activating" ? "restart" : "start";
  return [activate(`${verb} ${service}, to ${fed.does}`, () => feed(machine, fed, verb))];
}

/** The way back: what was given to a service that is no longer wanted. Nothing when nothing was given. */
export async function planUnfedService(machine: Machine, service: string, path: string, why: string): Promise<Plan> {
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

async function feed(
  machine: Machine,
  { service, files, check, notes = [] }: FedService,
  verb: "start" | FedService["renew"],
): Promise<void> {
  const { host, layout } = machine;
  const last = files.at(-1);
  if (last === undefined) return;
  for (const file of files.slice(0, -1)) await writeServiceFile(machine, file);
  if (check !== undefined) {
    // Left where it is when it is refused: the operator wants to see it.
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

/** Makes the folder, too. */
export async function writeServiceFile({ host }: Machine, { path, content, mode }: ServiceFile): Promise<void> {
  await host.makeFolder(dirname(path), { mode: 0o755 });
  await host.writeFile(path, content, { mode, uid: 0, gid: 0 });
}

/** Whether all of them stand there as they are wanted. */
export async function areThere({ host }: Machine, files: readonly ServiceFile[]): Promise<boolean> {
  for (const { path, content, mode } of files) {
    const facts = await host.stat(path);
    if (facts?.kind !== "file" || facts.mode !== mode) return false;
    if (!Buffer.from((await host.readBytes(path)) ?? []).equals(Buffer.from(content))) return false;
  }
  return true;
}

/** What the service was last given: a digest, because a key may be among it. */
function takenUpPath({ layout }: Machine, service: string): string {
  return join(layout.run, `${service}.fed`);
}

function digestOf(files: readonly ServiceFile[]): string {
  const hash = createHash("sha256");
  for (const { path, content } of files) {
    const bytes = Buffer.from(content);
    hash.update(`${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}
