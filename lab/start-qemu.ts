import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { emulator } from "./emulator.ts";
import { MachineEndedError } from "./problems.ts";
import { machineFiles } from "./qemu-command.ts";
import { QmpClient } from "./qmp.ts";

export interface Qemu {
  readonly pid: number;
  readonly qmp: QmpClient;
  /** Settles when the process has ended; with how, in words, where its owner can know. */
  readonly ended: Promise<string>;
}

const CONNECT_TRIES = 200;
const CONNECT_PAUSE = 50;

const owned = new Set<number>();
process.on("exit", () => {
  for (const pid of owned) killQuietly(pid);
});

/** QEMU that leaves its owner and runs on (-daemonize): the program returns once the machine is set up. */
export async function startInBackground(args: readonly string[], folder: string): Promise<Qemu> {
  const files = machineFiles(folder);
  const child = spawnLogged(emulator(), args, files.messages);
  const how = await endingOf(child);
  if (how !== "exit status 0") throw notStarted(how, files.messages);
  return attachToQemu(folder);
}

/**
 * QEMU that ends with its owner, however that ends: setpriv has the kernel kill it (PR_SET_PDEATHSIG, prctl(2)), since
 * a killed owner has no time to.
 */
export async function startOwned(args: readonly string[], folder: string): Promise<Qemu> {
  const files = machineFiles(folder);
  const child = spawnLogged("setpriv", ["--pdeathsig", "KILL", emulator(), ...args], files.messages);
  let over: string | undefined;
  const ended = endingOf(child).then((how) => (over = how));
  if (child.pid === undefined) throw notStarted(await ended, files.messages);
  const { pid } = child;
  owned.add(pid);
  void ended.then(() => owned.delete(pid));
  for (let tries = 0; tries < CONNECT_TRIES && over === undefined; tries += 1) {
    try {
      return { pid, qmp: await QmpClient.connect(files.qmpSocket), ended };
    } catch {
      // QEMU makes its sockets while it starts; there is no event for that.
      await delay(CONNECT_PAUSE);
    }
  }
  killQuietly(pid);
  throw notStarted(await ended, files.messages);
}

/** The machine that runs already in that state folder. @throws when none does */
export async function attachToQemu(folder: string): Promise<Qemu> {
  const pid = runningPid(folder);
  if (pid === undefined)
    throw new MachineEndedError({ code: "no-machine-running", what: "no machine is running", where: { file: folder }, todo: "make boot" });
  const qmp = await QmpClient.connect(machineFiles(folder).qmpSocket);
  return { pid, qmp, ended: qmp.closed.then(() => "ended") };
}

/** The process of the machine of that state folder, if it runs. The number alone may have gone to someone else. */
export function runningPid(folder: string): number | undefined {
  const files = machineFiles(folder);
  try {
    const pid = Number(readFileSync(files.pid, "utf8").trim());
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(files.qmpSocket) ? pid : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) return undefined;
    throw error;
  }
}

/** SIGKILL; no error when it has ended already. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function spawnLogged(program: string, args: readonly string[], log: string): ChildProcess {
  const file = openSync(log, "w");
  try {
    return spawn(program, args, { stdio: ["ignore", file, file] });
  } finally {
    closeSync(file);
  }
}

async function endingOf(child: ChildProcess): Promise<string> {
  try {
    await once(child, "exit");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return child.signalCode === null ? `exit status ${child.exitCode}` : `ended by ${child.signalCode}`;
}

function notStarted(how: string, messages: string): MachineEndedError {
  return new MachineEndedError({
    code: "qemu-not-started",
    what: `QEMU did not start: ${how}`,
    found: readFileSync(messages, "utf8").trim(),
    where: { file: messages },
  });
}
