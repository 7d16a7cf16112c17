import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import * as z from "../../base/schema.ts";
import { jsonIn } from "../../base/json.ts";
import type { Host } from "../host.ts";

/** Milliseconds. An entry that is known waits 5 s, and asks three times, a second apart (RFC 4861, 10). */
const ANSWER_TIME = 12_000;
const LOOK_AGAIN = 200;

const Neighbours = z.array(z.object({ state: z.optional(z.array(z.string())) }));
const Routes = z.array(z.object({ gateway: z.optional(z.string()) }));

/** The gateways of the default routes for IPv6 over that interface. @throws CommandError */
export async function ipv6Gateways(host: Host, interfaceName: string): Promise<readonly string[]> {
  const { stdout } = await host.run({ program: "ip", args: ["-json", "-6", "route", "show", "default", "dev", interfaceName] });
  return [...new Set((Routes.safeParse(jsonIn(stdout)).data ?? []).flatMap(({ gateway }) => gateway ?? []))];
}

/**
 * Asks a machine on the same link whether it is there, by neighbour discovery. Every machine has to answer that, whatever it thinks of ping(8),
 * and no other way to it is asked for. Takes at most 13 s.
 *
 * @returns the kernel's word for the entry, such as FAILED, where there was no answer; `undefined` where there was one
 * @throws CommandError
 */
export async function missedAnswer(host: Host, interfaceName: string, address: string): Promise<string | undefined> {
  // use: the kernel asks, as if there was a packet for it (ip-neighbour(8)).
  await host.run({ program: "ip", args: ["-6", "neighbour", "replace", address, "dev", interfaceName, "use"] });
  for (const left = deadlineIn(ANSWER_TIME); ;) {
    const { stdout } = await host.run({ program: "ip", args: ["-json", "-6", "neighbour", "show", address, "dev", interfaceName] });
    const states = (Neighbours.safeParse(jsonIn(stdout)).data ?? []).flatMap(({ state }) => state ?? []);
    if (states.some((state) => ANSWERED.includes(state))) return undefined;
    if (states.includes("FAILED") || left() === 0 || !(await pause(systemClock, LOOK_AGAIN, host.signal)))
      return states.join(" ") || "no entry";
  }
}

/** PERMANENT and NOARP: there is nothing to ask. */
const ANSWERED: readonly string[] = ["REACHABLE", "PERMANENT", "NOARP"];
