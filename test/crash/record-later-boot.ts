import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "../../src/base/schema.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { kernelBoot, untilBooted } from "../vm/support/node.ts";
import { recorded, replayed } from "./record.ts";
import { crashFolder, firstBoot, type Recording } from "./recording.ts";

export const laterBootFolder = join(crashFolder, "later-boot");
const NAME = "crash-recording-later-boot";
const file = (name: string): string => join(laterBootFolder, name);
const FACTS = file("recording.json");
const Facts = z.object({ id: z.string(), firstBoot: z.string() });

/**
 * The boot after the first one, and its orderly end: the recording that is there, where it goes on from the first boot that is there; else
 * a new one.
 *
 * @param say told of what takes time
 */
export async function laterBoot(say: (line: string) => void): Promise<Recording> {
  const before = await firstBoot(say);
  const [base, log] = [file("before.img"), file("boot.log")];
  const known = existsSync(FACTS) ? Facts.parse(JSON.parse(await readFile(FACTS, "utf8"))) : undefined;
  if (known?.firstBoot === before.id) return { id: known.id, base, log, from: 0, medium: before.medium };
  if (known !== undefined) say("the later boot that was recorded is of another first boot: it is recorded again");
  await rm(laterBootFolder, { recursive: true, force: true });
  await mkdir(laterBootFolder, { recursive: true });
  await replayed(before.base, before.log, base);
  await withPanicRetry(async () =>
    recorded(NAME, base, log, { boot: await kernelBoot() }, async (vm) => {
      await untilBooted(vm);
      const ended = await vm.shutdown();
      if (ended !== "clean") throw new Error(`the machine that was recorded did not end by itself:\n${vm.serial.tail()}`);
    }),
  );
  const id = new Date().toISOString();
  await writeFile(FACTS, `${JSON.stringify({ id, firstBoot: before.id } satisfies z.infer<typeof Facts>)}\n`);
  return { id, base, log, from: 0, medium: before.medium };
}
