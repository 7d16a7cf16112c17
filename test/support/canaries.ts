import { isIn, pemSecrets, writings } from "./known-secrets.ts";

/**
 * Secrets of the tests of one file, and where they showed up: what tests put into their inputs, and whatever the program itself takes for a
 * secret. Everything that leaves the program while they run is searched for them (watch-secrets.ts).
 */

/** Bytes. A shorter secret is part of many things that are none. */
const SHORTEST = 16;

/** By content. */
const known = new Map<string, { readonly name: string; readonly written: readonly Buffer[] }>();
const found = new Set<string>();
let searchedRuns = 0;

/** Makes it a secret from now on. @returns it */
export function canary<T extends string | Uint8Array>(name: string, content: T): T {
  const bytes = Buffer.from(content);
  const text = bytes.toString("latin1");
  for (const secret of text.includes("PRIVATE KEY") ? pemSecrets(name, text) : [{ name, bytes }])
    if (secret.bytes.length >= SHORTEST) known.set(Buffer.from(secret.bytes).toString("latin1"), { name, written: writings(secret.bytes) });
  return content;
}

/** Searches what can be seen. @param where in words */
export function shown(where: string, content: string | Uint8Array | (() => string)): void {
  if (known.size === 0) return;
  const haystack = Buffer.from(typeof content === "function" ? content() : content);
  for (const { name, written } of known.values()) if (isIn(haystack, written)) found.add(`${name} in ${where}`);
}

/** Counts a run of a unit, a command or an upgrade, if there was a secret that it could show. */
export function ran(): void {
  if (known.size > 0) searchedRuns += 1;
}

/** What was found since the last call. */
export function takeFound(): readonly string[] {
  const taken = [...found];
  found.clear();
  return taken;
}

export function runsSearched(): number {
  return searchedRuns;
}
