import { call, withSystemBus } from "./dbus.ts";
import type { Host } from "../host.ts";

/**
 * Asks logind for an orderly restart: services are stopped, file systems unmounted (org.freedesktop.login1(5)). Returns when logind has
 * accepted the request; the machine goes down soon after.
 *
 * @throws ProblemError when logind does not run or refuses, for example because an inhibitor lock blocks the shutdown
 */
export async function requestReboot(host: Host): Promise<void> {
  await withSystemBus(host, async (bus) => {
    await call(bus, {
      destination: "org.freedesktop.login1",
      path: "/org/freedesktop/login1",
      interface: "org.freedesktop.login1.Manager",
      member: "Reboot",
      signature: "b",
      // Not interactive: no one is there to enter a password.
      body: [false],
    });
  });
}
