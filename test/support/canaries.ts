import { isIn, pemSecrets, writings } from "./known-secrets.ts";

/**
 * Secrets of the tests of one file, and where they showed up: what tests put into their inputs, and whatever the program itself takes for a
 * secret. Everything that leaves the program while they run is searched for them (watch-secrets.ts).
 */

/** Bytes. A shorter secret is part of many things that are none. */
const SHORTEST = 16;

/** How many of the program's own are remembered, the newest: a test that damages a key at each byte makes thousands of them. */
const MOST_OF_PROGRAM = 100;
const OF_PROGRAM = "a secret of the program";

/** By content, in the order in which they became known. */
const known = new Map<string, { readonly name: string; readonly written: readonly Buffer[] }>();
const found = new Set<string>();
let searchedRuns = 0;

/** Makes it a secret from now on. @returns it */
export function canary<T extends string | Uint8Array>(name: string, content: T): T {
  const bytes = Buffer.from(content);
  const text = bytes.toString("latin1");
  for (const secret of text.includes("PRIVATE KEY") ? pemSecrets(name, text) : [{ name, bytes }])
    if (secret.bytes.length >= SHORTEST) remember(name, secret.bytes);
  return content;
}

function remember(name: string, bytes: Uint8Array): void {
  const key = Buffer.from(bytes).toString("latin1");
  // A test's own keeps its name.
  if (!known.has(key)) known.set(key, { name, written: writings(bytes) });
}

/** The same for what the program takes for a secret. */
export function canaryOfProgram(content: Uint8Array): void {
  canary(OF_PROGRAM, content);
  const own = [...known].filter(([, { name }]) => name === OF_PROGRAM);
  for (const [key] of own.slice(0, -MOST_OF_PROGRAM)) known.delete(key);
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
