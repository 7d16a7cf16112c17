import type { Host } from "./host.ts";

/** What the image's program says of a version. */
export type ElectedAnswer = { readonly kind: "elected" } | { readonly kind: "not elected"; readonly words: string };

/** Milliseconds: it asks the network's registry, by one address after the other. */
const LIMIT = 120_000;

/**
 * Asks a program of the image whether the network has elected a version: PROGRAM VERSION URL…. It ends with 0 where that is so, and with 1 where
 * it is not, and says why on its standard error.
 *
 * @param urls of the network's nodes
 * @throws CommandError for any other ending: then it is not known
 */
export async function isElected(host: Host, program: string, version: string, urls: readonly string[]): Promise<ElectedAnswer> {
  const { status, stderr } = await host.run({ program, args: [version, ...urls], okStatuses: [0, 1], timeout: LIMIT });
  return status === 0 ? { kind: "elected" } : { kind: "not elected", words: stderr.trim().split("\n").at(-1) ?? "" };
}
