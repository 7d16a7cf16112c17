import { deadlineIn } from "../../base/clock.ts";
import * as z from "../../base/schema.ts";
import { concluded } from "../concluded.ts";
import { call, type SystemBus, withSystemBus } from "../systemd/dbus.ts";
import { type Signals, subscribe } from "../systemd/dbus-signals.ts";
import type { Host } from "../host.ts";
import { isBusy, type LinkDescription, parseLinkDescription } from "./link-description.ts";

const DESTINATION = "org.freedesktop.network1";
const MANAGER = { destination: DESTINATION, path: "/org/freedesktop/network1", interface: "org.freedesktop.network1.Manager" };
/**
 * networkd signals a change of its states, but not every change of an address. So the link is checked again after this many milliseconds.
 * Also how long networkd must be silent before a state counts: right after a request it still shows the previous one.
 */
const CHECK_AGAIN = 500;
/** Milliseconds. The reload itself reconfigures a link whose file has changed. If the link is not as wanted by then, the reload did not. */
const RELOAD_TIME = 5_000;
/**
 * Milliseconds for a networkd that still works on the link. Duplicate detection takes a second or two, and many times that on a busy host. A
 * request would make networkd begin again.
 */
const WORK_TIME = 20_000;

/** networkd's description of the link with that kernel index. @throws BusError when there is no such link, or no networkd */
export async function describeLink(host: Host, index: number): Promise<LinkDescription> {
  const text = await concluded(host, { name: "link", args: [index], shape: z.string() }, async (asked) =>
    withSystemBus(asked, async (bus) => describeText(bus, index)),
  );
  return parseLinkDescription(text);
}

async function describe(bus: SystemBus, index: number): Promise<LinkDescription> {
  return parseLinkDescription(await describeText(bus, index));
}

async function describeText(bus: SystemBus, index: number): Promise<string> {
  const [json] = await call(bus, { ...MANAGER, member: "DescribeLink", signature: "i", body: [index] });
  return String(json);
}

/** The goal of a wait. */
export interface Goal {
  /** Milliseconds. */
  readonly within: number;
  /** True once the link is as it is wanted. Evaluated after every change. */
  readonly reached: (link: LinkDescription) => boolean | Promise<boolean>;
}

/** The last known state of the link, and whether it reached the goal. */
export interface Outcome {
  readonly reached: boolean;
  readonly link: LinkDescription;
}

/**
 * Makes networkd read its files again, and waits for the result. A link is reconfigured only where that is needed, because it loses its
 * addresses for a moment. It is needed when its file has changed, which networkd detects by itself, or when the link is still not as wanted
 * after networkd has finished with it.
 */
export async function reloadLink(host: Host, index: number, goal: Goal): Promise<Outcome> {
  return await following(host, index, goal, async (bus, changes) => {
    await call(bus, { ...MANAGER, member: "Reload" });
    const reloaded = await settled(bus, index, changes, { ...goal, within: RELOAD_TIME });
    if (reloaded.reached) return reloaded;
    const finished = async (now: LinkDescription): Promise<boolean> => !isBusy(now) || (await goal.reached(now));
    const { link } = await settled(bus, index, changes, { within: WORK_TIME, reached: finished }, true);
    if (await goal.reached(link)) return { reached: true, link };
    await call(bus, { ...MANAGER, member: "ReconfigureLink", signature: "i", body: [index] });
    return await settled(bus, index, changes, goal);
  });
}

/** Waits until the link reaches the goal by itself. */
export async function waitForLink(host: Host, index: number, goal: Goal): Promise<Outcome> {
  return await following(host, index, goal, async (bus, changes) => await settled(bus, index, changes, goal, true));
}

async function following(
  host: Host,
  index: number,
  { within }: Goal,
  work: (bus: SystemBus, changes: Signals) => Promise<Outcome>,
): Promise<Outcome> {
  return await withSystemBus(
    host,
    async (bus) => {
      const [, path] = await call(bus, { ...MANAGER, member: "GetLinkByIndex", signature: "i", body: [index] });
      const changes = await subscribe(bus, {
        destination: DESTINATION,
        path: String(path),
        interface: "org.freedesktop.DBus.Properties",
        member: "PropertiesChanged",
      });
      return await work(bus, changes);
    },
    { deadline: within + RELOAD_TIME + WORK_TIME + 30_000 },
  );
}

/** @param quiet no request was sent to networkd just before, so its state counts at once */
async function settled(bus: SystemBus, index: number, changes: Signals, { within, reached }: Goal, quiet = false): Promise<Outcome> {
  const left = deadlineIn(within);
  for (let steady = quiet; ;) {
    const link = await describe(bus, index);
    const there = await reached(link);
    if (there && steady) return { reached: true, link };
    if (left() === 0) return { reached: there, link };
    const spoke = await changes.next(Math.min(CHECK_AGAIN, left()));
    steady = quiet || (there && !spoke);
  }
}
