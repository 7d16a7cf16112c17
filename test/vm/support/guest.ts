import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { deadlineIn, pause, systemClock } from "../../../src/base/clock.ts";
import * as z from "../../../src/base/schema.ts";
import type { Slot } from "../../../src/config/layout/layout.ts";
import { guestosBoot } from "./chain.ts";

const Guest = z.object({
  machine: z.object({ state: z.string() }),
  service: z.object({
    phase: z.string(),
    slot: z.exactOptional(z.string()),
    onTrial: z.boolean(),
    boot: z.exactOptional(z.string()),
    since: z.string(),
    problem: z.exactOptional(z.object({ code: z.string() })),
  }),
});
/** What `guest --json` prints on a host, as far as tests ask. */
export type Guest = z.infer<typeof Guest>;

/** @returns what the host says of its guest */
export async function guestOf(vm: VirtualMachine): Promise<Guest> {
  return Guest.parse(JSON.parse((await guestosBoot(vm, "guest --json")).stdout));
}

/**
 * Waits until the guest is so, milliseconds long at most. The host is asked seldom: to answer takes seconds of the processor that the guest is
 * emulated on.
 *
 * @returns what the host then says of it
 */
export async function guestThat(vm: VirtualMachine, what: string, timeout: number, is: (guest: Guest) => boolean): Promise<Guest> {
  const left = deadlineIn(timeout);
  for (;;) {
    const guest = await guestOf(vm);
    if (is(guest)) return guest;
    if (left() === 0) throw new Error(`${what}: not in time: ${JSON.stringify(guest)}`);
    await pause(systemClock, timeout / 200);
  }
}

export const isUp = ({ machine, service }: Guest, slot: Slot): boolean =>
  machine.state === "running" && service.phase === "running" && service.boot === "success" && service.slot === slot;
