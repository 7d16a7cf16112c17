import * as z from "../../base/schema.ts";
import { CommandError } from "../command.ts";
import { call, type SystemBus, withSystemBusIfThere } from "./dbus.ts";
import type { Host } from "../host.ts";
import { isBusRunning } from "./systemd.ts";

/** When the boot passed its milestones, according to systemd. Seconds of CLOCK_MONOTONIC: since the kernel started. */
export interface BootClocks {
  /** Seconds from power-on to the kernel, firmware and loader together. Absent where the firmware does not report it. */
  readonly firmware?: number;
  /** Seconds from the boot loader's start to the kernel. Absent where the loader does not report it (GRUB does not by itself). */
  readonly loader?: number;
  /** When systemd began in the initrd; absent without an initrd, or without systemd in it. */
  readonly initrd?: number;
  /** When systemd began in the root file system. */
  readonly userspace: number;
  /** When systemd had finished; absent until then. */
  readonly finished?: number;
  /** By unit name: when a service's main process began and ended, for its last run in this boot. */
  readonly services: Readonly<Record<string, { readonly started: number; readonly ended?: number }>>;
}

const DESTINATION = "org.freedesktop.systemd1";
const PROPERTIES = "org.freedesktop.DBus.Properties";

/** a{sv} as the library returns it: a 64-bit number is a bigint. */
const Values = z.tuple([z.record(z.string(), z.object({ value: z.unknown() }))]);

/**
 * Reads this boot's clocks from systemd (org.freedesktop.systemd1(5)).
 *
 * @param services names of services whose main processes are included
 * @returns `undefined` on a machine without systemd or without a bus
 */
export async function bootClocks(host: Host, services: readonly string[]): Promise<BootClocks | undefined> {
  return await withSystemBusIfThere(host, async (bus) => {
    const manager = await properties(bus, "/org/freedesktop/systemd1", `${DESTINATION}.Manager`);
    const userspace = seconds(manager["UserspaceTimestampMonotonic"]);
    if (userspace === undefined) return undefined;
    const times: Record<string, { started: number; ended?: number }> = {};
    for (const name of services) {
      const service = await properties(bus, unitPath(name), `${DESTINATION}.Service`);
      const started = seconds(service["ExecMainStartTimestampMonotonic"]);
      const ended = seconds(service["ExecMainExitTimestampMonotonic"]);
      // While a service runs again, the exit is still that of its previous run.
      if (started !== undefined) times[name] = { started, ...(ended === undefined || ended < started ? {} : { ended }) };
    }
    return {
      ...present("firmware", seconds(manager["FirmwareTimestampMonotonic"])),
      ...present("loader", seconds(manager["LoaderTimestampMonotonic"])),
      ...present("initrd", seconds(manager["InitRDTimestampMonotonic"])),
      userspace,
      ...present("finished", seconds(manager["FinishTimestampMonotonic"])),
      services: times,
    };
  });
}

/** How long the start of this machine took, in seconds, and whether its memory is encrypted. */
export interface StartUp {
  /** From the start of the kernel to that of systemd, in the initrd or else in the root file system. */
  readonly kernel: number;
  /** From the start of systemd in the root file system until it had finished. This and the next two are absent until then. */
  readonly userspace?: number;
  /** From the start of the kernel. */
  readonly total?: number;
  /** The services that took longest to start, by name. */
  readonly services: ReadonlyMap<string, number>;
  /** Whether this is a confidential virtual machine; absent where systemd does not say (before 254). */
  readonly confidential?: boolean;
}

/** So many services are reported, as by the GuestOS of IC-OS (boot-metrics.sh). */
const SLOWEST = 10;

/**
 * Asks systemd, as `systemd-analyze` and `systemd-analyze blame` do. Starts no process, and does not wait for a bus that does not run.
 *
 * @returns `undefined` on a machine without systemd or without a running bus
 * @throws ProblemError
 */
export async function startUp(host: Host): Promise<StartUp | undefined> {
  if (!(await isBusRunning(host))) return undefined;
  const read = async (bus: SystemBus): Promise<StartUp | undefined> => {
    const manager = await properties(bus, "/org/freedesktop/systemd1", `${DESTINATION}.Manager`);
    const begun = seconds(manager["UserspaceTimestampMonotonic"]);
    if (begun === undefined) return undefined;
    const finished = seconds(manager["FinishTimestampMonotonic"]);
    const kind = manager["ConfidentialVirtualization"];
    return {
      kernel: seconds(manager["InitRDTimestampMonotonic"]) ?? begun,
      ...(finished === undefined ? {} : { userspace: finished - begun, total: finished }),
      services: finished === undefined ? new Map() : await slowestServices(bus),
      ...(typeof kind === "string" ? { confidential: kind !== "" } : {}),
    };
  };
  return withSystemBusIfThere(host, read, { deadline: DEADLINE });
}

/** Milliseconds: metrics are not worth a longer wait. */
const DEADLINE = 5_000;

const UnitNames = z.tuple([z.array(z.tuple([z.string()], z.unknown()))]);

async function slowestServices(bus: SystemBus): Promise<ReadonlyMap<string, number>> {
  const listed = await call(bus, {
    destination: DESTINATION,
    path: "/org/freedesktop/systemd1",
    interface: `${DESTINATION}.Manager`,
    member: "ListUnitsByPatterns",
    signature: "asas",
    body: [["active"], ["*.service"]],
  });
  const names = UnitNames.safeParse(listed).data?.[0].map(([name]) => name) ?? [];
  const times = await Promise.all(
    names.map(async (name): Promise<readonly [string, number]> => {
      // Two values, and not all: a unit has a hundred.
      const [began, started] = await Promise.all(
        ["InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"].map(async (key) => seconds(await unitProperty(bus, name, key))),
      );
      return [name, began === undefined || started === undefined ? 0 : started - began];
    }),
  );
  const slowest = times.filter(([, time]) => time > 0).toSorted(([, one], [, other]) => other - one);
  return new Map(slowest.slice(0, SLOWEST));
}

async function properties(bus: SystemBus, path: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const reply = await call(bus, { destination: DESTINATION, path, interface: PROPERTIES, member: "GetAll", signature: "s", body: [name] });
  const answer = Values.safeParse(reply).data?.[0] ?? {};
  return Object.fromEntries(Object.entries(answer).map(([key, { value }]) => [key, value]));
}

const Value = z.tuple([z.object({ value: z.unknown() })]);

async function unitProperty(bus: SystemBus, unit: string, key: string): Promise<unknown> {
  const body = [`${DESTINATION}.Unit`, key];
  const reply = await call(bus, {
    ...{ destination: DESTINATION, path: unitPath(unit), interface: PROPERTIES, member: "Get", signature: "ss", body },
  });
  return Value.safeParse(reply).data?.[0].value;
}

/** The object path of a unit: every byte that is not a letter or digit, and a digit at the start, becomes _xx (sd_bus_path_encode(3)). */
export function unitPath(name: string): string {
  const encoded = Buffer.from(name)
    .toString("latin1")
    .replaceAll(/[^A-Za-z0-9]|^[0-9]/g, (letter) => `_${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `/org/freedesktop/systemd1/unit/${encoded}`;
}

/** systemd's values are microseconds; 0 and the largest number both mean "has not happened". */
function seconds(value: unknown): number | undefined {
  const micro = typeof value === "bigint" || typeof value === "number" ? Number(value) : 0;
  return micro > 0 && micro < 2 ** 63 ? micro / 1e6 : undefined;
}

function present(key: "firmware" | "loader" | "initrd" | "finished", value: number | undefined): Partial<BootClocks> {
  return value === undefined ? {} : { [key]: value };
}

/** systemd's "Startup finished" (SD_MESSAGE_STARTUP_FINISHED, sd-messages.h). */
const STARTUP_FINISHED = "b07a249cd024414a82dd00cd181378ff";

/**
 * The clocks of an earlier boot, from systemd's journal entry when it had finished. That entry has no times of firmware, loader and
 * services.
 *
 * @param bootId in the kernel's form
 * @returns `undefined` when the journal does not have that boot, or it never finished
 */
export async function journalClocks(host: Host, bootId: string): Promise<BootClocks | undefined> {
  try {
    const match = [`_BOOT_ID=${bootId.replaceAll("-", "")}`, `MESSAGE_ID=${STARTUP_FINISHED}`, "_PID=1"];
    const { stdout } = await host.run({
      program: "journalctl",
      args: ["--output=json", "--no-pager", "--quiet", ...match],
      // 1: no entry found.
      okStatuses: [0, 1],
    });
    return parseStartupFinished(stdout);
  } catch (error) {
    if (error instanceof CommandError && error.ending.kind === "not-found") return undefined;
    throw error;
  }
}

const StartupFinished = z.object({
  KERNEL_USEC: z.coerce.number(),
  INITRD_USEC: z.exactOptional(z.coerce.number()),
  USERSPACE_USEC: z.coerce.number(),
});

/** @param text journalctl's JSON, one entry a line; the last one counts */
export function parseStartupFinished(text: string): BootClocks | undefined {
  const line = text.trim().split("\n").at(-1) ?? "";
  if (line === "") return undefined;
  const { data } = StartupFinished.safeParse(JSON.parse(line));
  if (data === undefined) return undefined;
  const kernel = data.KERNEL_USEC / 1e6;
  const initrd = (data.INITRD_USEC ?? 0) / 1e6;
  const userspace = kernel + initrd;
  return {
    ...(initrd > 0 ? { initrd: kernel } : {}),
    userspace,
    finished: userspace + data.USERSPACE_USEC / 1e6,
    services: {},
  };
}
