import type { Conclusion, Host } from "./host.ts";

/**
 * A fact that follows from what may not be recorded, such as a key, the content of a device or a whole conversation on the bus. A host that
 * records keeps this answer alone, so it never holds a secret. A host that stands for another machine gives it, and `ask` is not called.
 *
 * @param ask inspects the host that it is given
 */
export async function concluded<T>(host: Host, question: Conclusion<T>, ask: (host: Host) => Promise<T>): Promise<T> {
  return host.concluded === undefined ? ask(host) : host.concluded(question, ask);
}
