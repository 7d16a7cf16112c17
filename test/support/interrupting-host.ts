import type { Host } from "../../src/system/host.ts";

/** What a test sees where the machine would have lost its power. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export interface InterruptingHost extends Host {
  /** How many effects were let through. */
  readonly effects: () => number;
  readonly interrupted: () => boolean;
}

/**
 * A host that loses its power before its `n`th effect, counted from 1: that one and every later one, also in a `finally`,
 * throws `Interrupted` and does nothing. Reading goes on working, as no one is there to notice.
 */
export function interruptingHost(host: Host, n: number): InterruptingHost {
  let count = 0;
  const effect =
    <A extends readonly unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (count >= n - 1) {
        count = n;
        throw new Interrupted(`no power at effect ${n}`);
      }
      count += 1;
      return act(...args);
    };
  return {
    ...host,
    run: effect(host.run),
    writeFile: effect(host.writeFile),
    writeStream: effect(host.writeStream),
    writeInPlace: effect(host.writeInPlace),
    makeFolder: effect(host.makeFolder),
    remove: effect(host.remove),
    rename: effect(host.rename),
    setAttributes: effect(host.setAttributes),
    effects: () => Math.min(count, n - 1),
    interrupted: () => count >= n,
  };
}

/**
 * Interrupts `run` before its first effect, before its second, and so on until it gets through, each time on a machine of
 * its own, and lets `check` inspect what was left.
 *
 * @returns how many interruptions there were: at least one for a run that does anything
 */
export async function atEveryEffect<T>(
  prepare: () => Promise<T>,
  run: (subject: T, interrupt: (host: Host) => Host) => Promise<unknown>,
  check: (subject: T, n: number) => Promise<void>,
): Promise<number> {
  const limit = 500;
  for (let n = 1; n <= limit; n += 1) {
    const subject = await prepare();
    const hosts: InterruptingHost[] = [];
    const interrupt = (host: Host): Host => {
      const wrapped = interruptingHost(host, n);
      hosts.push(wrapped);
      return wrapped;
    };
    try {
      await run(subject, interrupt);
    } catch (error) {
      if (!hosts.some((host) => host.interrupted())) throw error;
    }
    if (!hosts.some((host) => host.interrupted())) return n - 1;
    await check(subject, n);
  }
  throw new Error(`still going after ${limit} effects`);
}
