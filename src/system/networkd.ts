import { call, type SystemBus, withSystemBus } from "./dbus.ts";
import { subscribe } from "./dbus-signals.ts";
import type { Host } from "./host.ts";
import { type LinkDescription, parseLinkDescription } from "./link-description.ts";

const DESTINATION = "org.freedesktop.network1";
const MANAGER = { destination: DESTINATION, path: "/org/freedesktop/network1", interface: "org.freedesktop.network1.Manager" };
/** networkd signals a change of its states, but not every change of an address: so look again now and then. */
const LOOK_AGAIN = 500;

/** What networkd knows and does about the link with that kernel index. @throws BusError when there is no such link, or no networkd */
export async function describeLink(host: Host, index: number): Promise<LinkDescription> {
  return await withSystemBus(host, async (bus) => await describe(bus, index));
}

async function describe(bus: SystemBus, index: number): Promise<LinkDescription> {
  const [json] = await call(bus, { ...MANAGER, member: "DescribeLink", signature: "i", body: [index] });
  return parseLinkDescription(String(json));
}

export interface Reconfiguration {
  /** Also read the .network files again. */
  readonly reload: boolean;
  /** Milliseconds to wait for what is wanted. */
  readonly within: number;
  /** True once the link is as it is wanted. Asked after every change. */
  readonly reached: (link: LinkDescription) => boolean | Promise<boolean>;
}

/**
 * Has networkd configure the link anew and waits for the result.
 *
 * @returns the link as it was last seen, and whether it got there
 */
export async function reconfigureLink(
  host: Host,
  index: number,
  wanted: Reconfiguration,
): Promise<{ readonly reached: boolean; readonly link: LinkDescription }> {
  return await followLink(host, index, wanted, async (bus) => {
    if (wanted.reload) await call(bus, { ...MANAGER, member: "Reload" });
    await call(bus, { ...MANAGER, member: "ReconfigureLink", signature: "i", body: [index] });
  });
}

/** Waits for the link to get there by itself. */
export async function waitForLink(
  host: Host,
  index: number,
  wanted: Omit<Reconfiguration, "reload">,
): Promise<{ readonly reached: boolean; readonly link: LinkDescription }> {
  return await followLink(host, index, wanted, async () => undefined);
}

async function followLink(
  host: Host,
  index: number,
  { within, reached }: Omit<Reconfiguration, "reload">,
  act: (bus: SystemBus) => Promise<void>,
): Promise<{ readonly reached: boolean; readonly link: LinkDescription }> {
  return await withSystemBus(
    host,
    async (bus) => {
      const [, path] = await call(bus, { ...MANAGER, member: "GetLinkByIndex", signature: "i", body: [index] });
      const changes = await subscribe(bus, {
        sender: DESTINATION,
        path: String(path),
        interface: "org.freedesktop.DBus.Properties",
        member: "PropertiesChanged",
      });
      await act(bus);
      const end = Date.now() + within;
      for (;;) {
        const link = await describe(bus, index);
        if (await reached(link)) return { reached: true, link };
        const left = end - Date.now();
        if (left <= 0) return { reached: false, link };
        await changes.next(Math.min(LOOK_AGAIN, left));
      }
    },
    { deadline: within + 30_000 },
  );
}
