import type { DBusError, MessageBus } from "dbus-next";
import { foreignText, foreignWords } from "../../base/foreign-words.ts";
import type { Host } from "../host.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { watchFiles } from "../files/watch-files.ts";

/** An open connection to the system bus. It ends with the `withSystemBus` that opened it. */
export interface SystemBus {
  readonly connection: MessageBus;
  /** Aborted, with a `ProblemError` as its reason, when the connection is lost, its time is up, or the unit must end. */
  readonly signal: AbortSignal;
}

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of the body; absent for a call without arguments. */
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** The bus itself (D-Bus specification, "Message Bus Messages"). */
export const DAEMON = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

export interface BusOptions {
  /** Milliseconds for all the work over this connection; the default is one minute. */
  readonly deadline?: number;
}

/** A service's refusal of a call. `errorName` is D-Bus's own name for the reason. */
export class BusError extends ProblemError {
  readonly errorName: string;

  constructor(call: MethodCall, errorName: string, text: string) {
    const usual = NOT_THERE.has(errorName)
      ? { code: "bus-service-not-running", what: `${call.destination} is not running` }
      : { code: "bus-call-refused", what: `${call.destination} refused ${call.member}` };
    // Retryable, because it may be starting.
    super({ ...usual, found: foreignText(text === "" ? errorName : `${errorName}: ${text}`) }, { retryable: NOT_THERE.has(errorName) });
    this.errorName = errorName;
  }
}

/** The bus itself answers in place of a missing service (D-Bus specification, "Message Bus Starting Services"). */
const NOT_THERE = new Set(["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"]);

/**
 * The default address of libdbus and sd-bus when the environment names none (D-Bus specification, "System message bus"; /run by
 * file-hierarchy(7)).
 */
const DEFAULT_SOCKET = "/run/dbus/system_bus_socket";
const DEADLINE = 60_000;
/** dbus.socket exists and accepts long before the daemon answers. A caller then must not wait for a boot that waits for the caller. */
const CONNECT_TIMEOUT = 10_000;
/** libdbus's default time-out for a reply (DBUS_TIMEOUT_USE_DEFAULT). */
const CALL_TIMEOUT = 25_000;
/** Message flag: a call to a service must not start it (D-Bus specification, NO_AUTO_START). */
const NO_AUTO_START = 2;

/**
 * Connects to the system bus for as long as `use` runs. Only for units that require `system-bus`, or after `isServiceRunning` has reported
 * that the called service is up. In early boot the socket may exist without a daemon behind it.
 *
 * @throws ProblemError when there is no bus, the connection is lost or the deadline has passed
 */
export async function withSystemBus<T>(host: Host, use: (bus: SystemBus) => Promise<T>, options: BusOptions = {}): Promise<T> {
  const answer = await withSystemBusIfThere(host, async (bus) => ({ value: await use(bus) }), options);
  if (answer === undefined) {
    throw lost({
      code: "bus-not-reachable",
      what: "cannot reach the system bus",
      found: `no process listens at ${busAddress()}`,
      todo: "systemctl status dbus.socket dbus.service",
    });
  }
  return answer.value;
}

/** As `withSystemBus`, but returns `undefined` on a machine without a system bus. */
export async function withSystemBusIfThere<T>(
  host: Host,
  use: (bus: SystemBus) => Promise<T>,
  { deadline = DEADLINE }: BusOptions = {},
): Promise<T | undefined> {
  host.beyond?.("the system bus");
  const ending = new AbortController();
  const end = (problem: Problem): void => ending.abort(lost(problem));
  const timer = setTimeout(
    () => end({ code: "bus-work-timed-out", what: `the work on the system bus did not end within ${deadline / 1000} s` }),
    deadline,
  );
  const onAbort = (): void => end({ code: "bus-work-stopped", what: "the work on the system bus was stopped because the unit was" });
  if (host.signal.aborted) onAbort();
  host.signal.addEventListener("abort", onAbort, { once: true });
  let connection: MessageBus | undefined;
  try {
    // Loaded only here: most boots never need it, and loading takes longer than planning all units.
    const { sessionBus } = await import("dbus-next");
    connection = sessionBus({ busAddress: busAddress(), authMethods: ["EXTERNAL"] });
    const bus = { connection, signal: ending.signal };
    if (!(await isConnected(bus))) return undefined;
    connection.on("error", (error: Error) =>
      end({ code: "bus-connection-failed", what: `the connection to the system bus failed: ${foreignWords(error)}` }),
    );
    // The library forgets pending calls when the daemon goes away. Without this they would wait until they time out.
    connection._connection.once("end", () => end({ code: "bus-closed", what: "the system bus closed the connection" }));
    return await bounded(use(bus), bus.signal);
  } finally {
    clearTimeout(timer);
    host.signal.removeEventListener("abort", onAbort);
    if (connection !== undefined) closeBus(connection);
  }
}

/** A connection that is late or lost is tried again: the daemon may be busy, or be started. What was asked may have been done. */
function lost(problem: Problem): ProblemError {
  return new ProblemError(problem, { retryable: true });
}

function busAddress(): string {
  return process.env["DBUS_SYSTEM_BUS_ADDRESS"] ?? `unix:path=${DEFAULT_SOCKET}`;
}

/** Resolves on a change at the socket's path, or when the signal is aborted. */
export async function busSocketChanges(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  watchFiles(signal, resolve).set([DEFAULT_SOCKET]);
  await promise;
}

/** True once the daemon has answered, false when there is none. */
async function isConnected({ connection, signal }: SystemBus): Promise<boolean> {
  const greeted = new Promise<boolean>((resolve, reject) => {
    connection.once("connect", () => resolve(true));
    connection.once("error", (error: Error & { code?: string }) => {
      // ENOENT: no socket. ECONNREFUSED: a socket whose daemon is gone.
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(false);
      else reject(lost({ code: "bus-not-connected", what: "cannot connect to the system bus", found: foreignWords(error) }));
    });
    connection._connection.once("end", () =>
      reject(lost({ code: "bus-closed-at-once", what: "the system bus closed the connection at once" })),
    );
  });
  return await bounded(greeted, signal, { within: CONNECT_TIMEOUT, what: "the system bus did not answer" });
}

/** The library only half-closes its socket. With a daemon that never answers, the open half would keep the process alive. */
function closeBus(connection: MessageBus): void {
  connection.on("error", () => undefined);
  connection.disconnect();
  connection._connection.stream.destroy();
}

/**
 * Calls a method and returns the body of the reply. Never starts the called service.
 *
 * @param timeout milliseconds to wait for the reply
 * @throws BusError when the service refuses, or no process owns the name (org.freedesktop.DBus.Error.ServiceUnknown)
 * @throws ProblemError when no reply came in time, or the connection ended
 */
export async function call(bus: SystemBus, method: MethodCall, timeout = CALL_TIMEOUT): Promise<readonly unknown[]> {
  const { Message } = await import("dbus-next");
  bus.signal.throwIfAborted();
  try {
    const reply = bus.connection.call(new Message({ ...method, flags: NO_AUTO_START }));
    const message = await bounded(reply, bus.signal, { within: timeout, what: `${method.destination} did not answer ${method.member}` });
    return message?.body ?? [];
  } catch (error) {
    if (isBusError(error)) throw new BusError(method, error.type, error.text);
    throw error;
  }
}

/** Recognised by shape, so that the library need not be loaded for it. */
function isBusError(error: unknown): error is DBusError {
  return error instanceof Error && error.name === "DBusError" && "type" in error;
}

/** The promise's own outcome, unless the signal or the time limit (milliseconds) comes first. */
export async function bounded<T>(
  work: Promise<T>,
  signal: AbortSignal,
  limit?: { readonly within: number; readonly what: string },
): Promise<T> {
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  const late = (): void => reject(lost({ code: "bus-timed-out", what: `${limit?.what} within ${(limit?.within ?? 0) / 1000} s` }));
  const timer = limit === undefined ? undefined : setTimeout(late, limit.within);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
