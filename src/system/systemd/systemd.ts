import { deadlineIn } from "../../base/clock.ts";
import * as z from "../../base/schema.ts";
import { concluded } from "../concluded.ts";
import { BusError, call, DAEMON, type SystemBus, withSystemBus } from "./dbus.ts";
import { subscribe } from "./dbus-signals.ts";
import type { Host } from "../host.ts";
import { lastWords } from "./journal.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";

/** systemd's state of a unit (org.freedesktop.systemd1(5)). */
export interface UnitState {
  /** "loaded", "not-found", "bad-setting", "masked", … */
  readonly load: string;
  /** "active", "reloading", "inactive", "failed", "activating" or "deactivating". */
  readonly active: string;
  readonly sub: string;
}

const DESTINATION = "org.freedesktop.systemd1";
const MANAGER = { destination: DESTINATION, path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager" };
/** Above systemd's usual limit for one start (DefaultTimeoutStartSec), so that its own, more precise answer comes first. */
const JOB_TIMEOUT = 95_000;

/**
 * True when that unit is running or starting: systemd keeps the invocation id of such units in a link in /run. Needs no bus and no process,
 * so units that do not require the bus can use it.
 */
export async function isServiceRunning(host: Host, name: string): Promise<boolean> {
  return (await host.readLink(`/run/systemd/units/invocation:${name}`)) !== undefined;
}

/** True when the system bus's daemon is running or starting; early in a boot it is not. Starts no process either. */
export async function isBusRunning(host: Host): Promise<boolean> {
  for (const name of BUS_SERVICES) if (await isServiceRunning(host, name)) return true;
  return false;
}

/** dbus-daemon(1) and dbus-broker(1): each has a unit of its own, of which dbus.service may be an alias. */
const BUS_SERVICES = ["dbus.service", "dbus-broker.service"];

/**
 * Waits until systemd is on the bus, which it joins only after the daemon has started (its name is what calls go to).
 *
 * @param within milliseconds
 * @returns whether it is there
 */
export async function systemdJoins(bus: SystemBus, within: number): Promise<boolean> {
  const isThere = async (): Promise<boolean> =>
    (await call(bus, { ...DAEMON, member: "NameHasOwner", signature: "s", body: [DESTINATION] }))[0] === true;
  if (await isThere()) return true;
  const changes = await subscribe(bus, { ...DAEMON, member: "NameOwnerChanged" });
  const left = deadlineIn(within);
  while (!(await isThere())) if (!(await changes.next(left()))) return false;
  return true;
}

/** The state of a unit, loaded or not: a unit without a file has `load` "not-found". */
export async function unitState(host: Host, name: string): Promise<UnitState> {
  return stateIn(await rowsOf(host, [name]), name);
}

/** As `unitState` for several units, in one call. @param names without aliases: systemd answers with the unit's own name */
export async function unitStates(host: Host, names: readonly string[]): Promise<ReadonlyMap<string, UnitState>> {
  const states = statesIn(await rowsOf(host, names));
  const missing = names.filter((name) => !states.has(name));
  if (missing.length === 0) return states;
  throw unclear(missing);
}

// Name, description, load state, active state, sub state; then fields that are not used here.
const UnitRows = z.array(z.tuple([z.string(), z.string(), z.string(), z.string(), z.string()], z.unknown()));
type UnitRows = z.infer<typeof UnitRows>;

function unclear(names: readonly string[], seen: Pick<Problem, "found"> = {}): ProblemError {
  return new ProblemError({
    code: "systemd-answer-unclear",
    what: `systemd did not say how ${names.join(", ")} ${names.length === 1 ? "is" : "are"}`,
    ...seen,
  });
}

function stateIn(rows: UnitRows, name: string): UnitState {
  const state = [...statesIn(rows).values()][0];
  if (state === undefined) throw unclear([name]);
  return state;
}

function statesIn(rows: UnitRows): ReadonlyMap<string, UnitState> {
  return new Map(rows.map(([name, , load, active, sub]) => [name, { load, active, sub }]));
}

/** The place of the job's number in a row; 0 where there is none. */
const JOB_ID = 7;

async function rowsOf(host: Host, names: readonly string[]): Promise<UnitRows> {
  return concluded(host, { name: "systemd units", args: names, shape: UnitRows }, async (asked) =>
    withSystemBus(asked, async (bus) => rowsOn(bus, names)),
  );
}

async function rowsOn(bus: SystemBus, names: readonly string[]): Promise<UnitRows> {
  const reply = await call(bus, { ...MANAGER, member: "ListUnitsByNames", signature: "as", body: [names] });
  const rows = UnitRows.safeParse(reply[0]).data;
  if (rows === undefined) throw unclear(names, { found: JSON.stringify(reply) });
  return rows;
}

/** Whether systemd has a job of that unit, which runs or waits for its turn. */
export async function hasJob(host: Host, name: string): Promise<boolean> {
  return (await rowsOf(host, [name])).some((row) => row[JOB_ID] !== 0);
}

/**
 * Queues the start of a unit and returns at once: for a unit that is ordered after the caller itself.
 *
 * @throws ProblemError where systemd makes no job of it
 */
export async function startInItsTurn(host: Host, name: string): Promise<void> {
  await withSystemBus(host, async (bus) => void (await enqueue(bus, "start", name)));
}

/** What a job does with a unit. */
export type JobKind = "start" | "restart" | "reload" | "stop";

/**
 * Starts, restarts, reloads or stops a unit, and waits until systemd has done so. Only for units that require `system-bus`: systemd may be
 * waiting for other units to end, and they would wait for systemd.
 *
 * @throws DiedError when the service was started and did not stay
 * @throws ProblemError which says why the job did not succeed, and where to read on
 */
export async function runJob(host: Host, kind: JobKind, name: string, timeout = JOB_TIMEOUT): Promise<void> {
  await withSystemBus(
    host,
    async (bus) => {
      // systemd sends its signals only while a client is subscribed.
      await call(bus, { ...MANAGER, member: "Subscribe" });
      const removed = await subscribe(bus, { ...MANAGER, member: "JobRemoved" });
      const job = await enqueue(bus, kind, name);
      const left = deadlineIn(timeout);
      for (;;) {
        const result = resultOf(removed.received, job);
        if (result !== undefined) {
          if (result !== "done") throw await jobProblem(host, kind, name, result);
          break;
        }
        if (!(await removed.next(left()))) throw await jobProblem(host, kind, name, "unfinished");
      }
      if (kind !== "stop") await expectAlive(host, bus, kind, name);
    },
    { deadline: timeout + 10_000 },
  );
}

// Job number, job path, name of the unit, result.
const JobRemoved = z.tuple([z.number(), z.string(), z.string(), z.string()]);

function resultOf(removed: readonly { readonly body: readonly unknown[] }[], job: unknown): string | undefined {
  for (const { body } of removed) {
    const { data } = JobRemoved.safeParse(body);
    if (data?.[1] === job) return data?.[3];
  }
  return undefined;
}

async function enqueue(bus: SystemBus, kind: JobKind, name: string): Promise<unknown> {
  const member = { start: "StartUnit", restart: "RestartUnit", reload: "ReloadUnit", stop: "StopUnit" }[kind];
  try {
    const [job] = await call(bus, { ...MANAGER, member, signature: "ss", body: [name, "replace"] });
    return job;
  } catch (error) {
    const refusal = error instanceof BusError ? REFUSALS[error.errorName.replace(`${DESTINATION}.`, "")] : undefined;
    if (refusal === undefined) throw error;
    throw new ProblemError(
      { code: "systemd-job-failed", what: `cannot ${kind} ${name}`, ...refusal, todo: `systemctl status ${name}` },
      { cause: error },
    );
  }
}

/** The errors for which systemd makes no job at all (org.freedesktop.systemd1(5), bus-common-errors.h). */
const REFUSALS: Readonly<Record<string, { readonly found: string; readonly expected: string }>> = {
  NoSuchUnit: { found: "no unit of that name", expected: "the image to install it" },
  UnitMasked: { found: "its unit is masked", expected: "a unit that may be started" },
  BadUnitSetting: { found: "a setting in its unit file that systemd does not accept", expected: "a unit file that can be loaded" },
  LoadFailed: { found: "a unit file that cannot be loaded", expected: "one that can" },
};

/** systemd has started the service, and it ended at once. `restarts`: systemd will start it again by itself. */
export class DiedError extends ProblemError {
  readonly restarts: boolean;

  constructor({ problem }: ProblemError, restarts: boolean) {
    super(problem);
    this.restarts = restarts;
  }
}

/** A start job of a simple service is done once the process exists, even if it ends a moment later. */
async function expectAlive(host: Host, bus: SystemBus, kind: JobKind, name: string): Promise<void> {
  const { active, sub } = stateIn(await rowsOn(bus, [name]), name);
  // A oneshot service without RemainAfterExit is "inactive" when it has done its work.
  if (active === "failed" || sub === "auto-restart") {
    throw new DiedError(await jobProblem(host, kind, name, `${active} (${sub})`), sub === "auto-restart");
  }
}

/** The meaning of a job's results (org.freedesktop.systemd1(5), JobRemoved). */
const RESULTS: Readonly<Record<string, string>> = {
  canceled: "another job took its place",
  timeout: "it took too long, and systemd stopped it",
  failed: "it failed",
  dependency: "a unit that it needs failed",
  skipped: "it does not apply to the unit's present state",
  assert: "an Assert… condition of the unit does not hold",
  unfinished: "systemd has not finished the job in time",
};

/** Includes the service's last messages, which most often give the reason. */
async function jobProblem(host: Host, kind: JobKind, name: string, result: string): Promise<ProblemError> {
  const todo = result === "dependency" ? `systemctl list-dependencies ${name}` : `journalctl -b -u ${name}`;
  const found = [RESULTS[result] ?? result, ...(await lastWords(host, name))].join("\n");
  return new ProblemError({ code: "systemd-job-failed", what: `cannot ${kind} ${name}`, found, todo });
}
