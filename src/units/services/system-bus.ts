import { ProblemError } from "../../base/problem.ts";
import { busSocketChanges, withSystemBusIfThere } from "../../system/systemd/dbus.ts";
import { unit } from "../machine.ts";

/**
 * Afterwards the system bus answers. It waits for that, and changes nothing.
 *
 * systemd starts the bus once it has heard that all is in place which does not need it. So what requires this unit, directly or not, is
 * the late half of a boot, and what does not is the early one: there is no other difference between the two (src/run/stages.ts).
 * Degrades: a node without a bus can be logged in to.
 */
export const systemBus = unit({
  name: "system-bus",
  title: "Wait until the system bus answers",
  onFailure: "degrade",
  // On the way to it systemd mounts, starts udev's devices and makes temporary files; an emulated machine takes a minute for that.
  timeout: 300_000,
  retryFor: 290_000,
  async plan({ host }) {
    if ((await withSystemBusIfThere(host, async () => true)) === true) return [];
    throw new ProblemError(
      {
        code: "bus-not-answering",
        what: "the system bus does not answer",
        found: "nobody listens at its socket",
        todo: "systemctl status dbus.socket dbus.service",
      },
      { retryable: true, wake: busSocketChanges },
    );
  },
});
