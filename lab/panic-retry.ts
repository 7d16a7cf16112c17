import { appendFile, copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildFolder } from "../image/paths.ts";
import { GuestPanicError } from "./problems.ts";

/** More in a row is no chance any more. */
const TRIES = 3;

/**
 * Does it again when, and only when, the guest's kernel fell over the emulator's defect. Each time is said, counted in
 * guest-panics.log, and its serial log kept beside that.
 *
 * @param attempt starts from the beginning: nothing of a machine that panicked may be used
 * @param folder where the evidence is kept
 */
export async function withPanicRetry<T>(
  attempt: () => Promise<T>,
  say: (line: string) => void = console.warn,
  folder: string = join(buildFolder, "vm"),
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GuestPanicError)) throw error;
      const count = await keepEvidence(error, folder);
      say(`${error.message} (number ${count} so far, kept in ${folder})`);
      if (tries === TRIES) throw error;
      say("starting again");
    }
  }
}

/** @returns how many there have been */
async function keepEvidence({ problem, message }: GuestPanicError, folder: string): Promise<number> {
  const list = join(folder, "guest-panics.log");
  await mkdir(folder, { recursive: true });
  await appendFile(list, `${new Date().toISOString()} ${message}\n`);
  const count = (await readFile(list, "utf8")).trimEnd().split("\n").length;
  if (problem.where !== undefined) await copyFile(problem.where.file, join(folder, `guest-panic-${count}.log`));
  return count;
}
