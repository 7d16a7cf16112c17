import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import { concluded } from "../../system/concluded.ts";
import { busSocketChanges, withSystemBusIfThere } from "../../system/systemd/dbus.ts";
import { systemdJoins } from "../../system/systemd/systemd.ts";
import { unit } from "../machine.ts";

/**
 * Afterwards the system bus answers, and systemd on it. The unit waits for that, and changes nothing. systemd joins the bus a moment after
 * the daemon has started, and a unit that asks it for a service in between would fail.
 *
 * systemd starts the bus once this program has told it that the early half of the boot has ended. Units that require or follow this one,
 * directly or not, are the late half. All others are the early half. That is the only difference (src/run/stages.ts). If it fails, the boot
 * is degraded: an operator can log in to a node without a bus.
 */
export const systemBus = unit({
  name: "system-bus",
  title: "Wait until the system bus answers",
  onFailure: "degrade",
  // Before the bus, systemd mounts file systems, starts udev's devices and makes temporary files: a minute on an emulated machine.
  timeout: 300_000,
  retryFor: 290_000,
  async plan({ host }) {
    const shape = z.optional(z.boolean());
    const hasJoined = await concluded(host, { name: "system bus", args: [], shape }, async (asked) =>
      withSystemBusIfThere(asked, async (bus) => systemdJoins(bus, JOINING)),
    );
    if (hasJoined === true) return [];
    if (hasJoined === false)
      throw new ProblemError(
        {
          code: "systemd-not-on-bus",
          what: "systemd is not on the system bus",
          found: `the bus answers, and no one has systemd's name on it within ${JOINING / 1000} s`,
          todo: "systemctl status dbus.service; journalctl -b _PID=1",
        },
        { retryable: true },
      );
    throw new ProblemError(
      {
        code: "bus-not-answering",
        what: "the system bus does not answer",
        found: "no process listens at its socket",
        todo: "systemctl status dbus.socket dbus.service",
      },
      { retryable: true, wake: busSocketChanges },
    );
  },
});

/**
 * For units that start services. In early boot they start at the same moment as everything else, and an answer may be late: it is asked
 * again, after what was done has been inspected.
 */
export const BUS_PATIENCE = { timeout: 300_000, retryFor: 120_000 } as const;

/** Milliseconds. systemd joins at once; this is for a machine that is busy. */
const JOINING = 10_000;
