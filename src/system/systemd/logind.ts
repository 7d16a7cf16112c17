import { call, withSystemBus } from "./dbus.ts";
import type { Host } from "../host.ts";

/**
 * Asks logind to restart the machine, in order: services are stopped, file systems unmounted (org.freedesktop.login1(5)).
 * Returns when logind has taken the request; the machine goes down soon after.
 *
 * @throws ProblemError when logind does not run or refuses, for example because something inhibits a shutdown
 */
export async function requestReboot(host: Host): Promise<void> {
  await withSystemBus(host, async (bus) => {
    await call(bus, {
      destination: "org.freedesktop.login1",
      path: "/org/freedesktop/login1",
      interface: "org.freedesktop.login1.Manager",
      member: "Reboot",
      signature: "b",
      // Not interactive: nobody is there to be asked for a password.
      body: [false],
    });
  });
}
