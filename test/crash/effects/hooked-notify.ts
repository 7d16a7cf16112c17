/**
 * Takes the place of src/system/systemd/notify.ts: every boot is one that systemd waits for, and what it is told is an effect like any
 * other. It is kept in a file.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { effect } from "./hook.ts";
import { machineRoot } from "./bounds.ts";
import { ENDED, READY, TOLD } from "./told.ts";

export * from "../../../src/system/systemd/notify.ts";

export function isAwaited(): boolean {
  return true;
}

export async function sayReady(): Promise<void> {
  await tell(READY);
}

export async function sayEnded(): Promise<void> {
  await tell(ENDED);
}

async function tell(what: string): Promise<void> {
  const file = join(machineRoot(), TOLD);
  await effect(what, async () => {
    await mkdir(dirname(file), { recursive: true });
    await appendFile(file, `${what}\n`);
  });
}
