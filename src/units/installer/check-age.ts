import { systemClock } from "../../base/clock.ts";
import { unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { checksLeftOut, stickOf } from "./stick.ts";

/** Days after which an image may be too old to catch up with the network (dfinity/ic, check-setupos-age.sh). */
const OLD = 42;

/**
 * Afterwards it is known whether the stick's image is older than six weeks. A node that was installed from an old one may never catch up with
 * the network. It is noted, and stops nothing. It changes nothing.
 */
export const checkAge = unit({
  name: "check-age",
  title: "Check that the stick is not too old",
  after: [systemBus],
  onFailure: "degrade",
  absent: checksLeftOut,
  async plan(machine) {
    const built = Number((await machine.host.readText(stickOf(machine).builtAt)) ?? NaN);
    const days = Math.floor((Date.parse(systemClock.date()) / 1000 - built) / 86_400);
    // The clock is set later, by the network; one that is before the making of the stick tells nothing.
    if (Number.isNaN(days) || days < 0) machine.note("it is not known how old the stick is");
    else if (days > OLD)
      machine.note(`the stick's image is ${days} days old: a node from one older than ${OLD} days may not catch up; take a new image`);
    return [];
  },
});
