import type { Message } from "dbus-next";
import { bounded, call, DAEMON, type MethodCall, type SystemBus } from "./dbus.ts";

/** `destination`: the well-known name of the sender. Signals from other senders are ignored. */
export type SignalRule = Pick<MethodCall, "destination" | "path" | "interface" | "member">;

export interface Signals {
  /** Every matching signal since the subscription, in order. */
  readonly received: readonly Message[];
  /** True as soon as a signal has come since the last call, false when none came within that many milliseconds. */
  readonly next: (within: number) => Promise<boolean>;
}

/** Subscribes to a signal. Received signals are kept, so a signal that overtakes the reply of a call is not lost. */
export async function subscribe(bus: SystemBus, rule: SignalRule): Promise<Signals> {
  const [owner] = await call(bus, { ...DAEMON, member: "GetNameOwner", signature: "s", body: [rule.destination] });
  const received: Message[] = [];
  let seen = 0;
  let wake = (): void => undefined;
  bus.connection.on("message", (message: Message) => {
    if (message.sender !== owner || message.path !== rule.path || message.interface !== rule.interface || message.member !== rule.member)
      return;
    received.push(message);
    wake();
  });
  const match = `type='signal',sender='${rule.destination}',path='${rule.path}',interface='${rule.interface}',member='${rule.member}'`;
  await call(bus, { ...DAEMON, member: "AddMatch", signature: "s", body: [match] });
  return {
    received,
    async next(within) {
      const arrived = new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), within);
        wake = (): void => {
          clearTimeout(timer);
          resolve(true);
        };
        if (received.length > seen) wake();
      });
      const answer = await bounded(arrived, bus.signal);
      seen = received.length;
      return answer;
    },
  };
}
