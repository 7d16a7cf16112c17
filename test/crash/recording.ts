import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "../../src/base/schema.ts";
import { bootReport, consoleEvents, hasSucceeded } from "../../lab/console.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { buildFolder, image } from "../../image/paths.ts";
import { tool } from "../../lab/tool.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { configMedium } from "../vm/support/media.ts";
import { BOOT_TIMEOUT, kernelBoot, untilBooted } from "../vm/support/node.ts";
import { recorded } from "./record.ts";

/** What a machine did, as it reached the disk. */
export interface Recording {
  /** Names it: results belong to one recording. */
  readonly id: string;
  /** The disk before it: raw, sparse. */
  readonly base: string;
  readonly log: string;
  /** The entry of the log with which it begins: what is before that only made the machine ready. */
  readonly from: number;
  /** The configuration, for boots after a cut. */
  readonly medium: string;
}

export const crashFolder = join(buildFolder, "crash");
const DISK_BYTES = 8 * 1024 ** 3;
const NAME = "crash-recording";

const Facts = z.object({ id: z.string(), image: z.string() });

/**
 * The recording that is there, where it is of the image that is there; else a new one.
 *
 * @param say told of what takes time
 */
export async function firstBoot(say: (line: string) => void): Promise<Recording> {
  const files = {
    base: join(crashFolder, "base.img"),
    log: join(crashFolder, "first-boot.log"),
    medium: join(crashFolder, "config.img"),
    facts: join(crashFolder, "recording.json"),
  };
  const { mtimeMs, size } = await stat(image.disk);
  const origin = `${mtimeMs} ${size}`;
  if (existsSync(files.facts)) {
    const facts = Facts.parse(JSON.parse(await readFile(files.facts, "utf8")));
    if (facts.image === origin) return { ...files, id: facts.id, from: 0 };
    say("the recording is of another image: it is made again");
  }
  await rm(crashFolder, { recursive: true, force: true });
  await mkdir(crashFolder, { recursive: true });
  const { config } = await injectedNode();
  await tool("cp", ["--sparse=always", await configMedium(NAME, config), files.medium]);
  await withPanicRetry(async () => {
    await tool("cp", ["--sparse=always", image.disk, files.base], { timeout: BOOT_TIMEOUT });
    await truncate(files.base, DISK_BYTES);
    await record(files);
  });
  const id = new Date().toISOString();
  await writeFile(files.facts, `${JSON.stringify({ id, image: origin } satisfies z.infer<typeof Facts>)}\n`);
  return { ...files, id, from: 0 };
}

/** Boots it to its end, and a little further. */
async function record({ base, log, medium }: Pick<Recording, "base" | "log" | "medium">): Promise<void> {
  const options = { boot: await kernelBoot(), media: [{ id: "config", image: medium }] };
  await recorded(NAME, base, log, options, async (vm) => {
    await untilBooted(vm);
    if (!hasSucceeded(bootReport(consoleEvents(vm.serial.text))))
      throw new Error(`the boot that was to be recorded failed:\n${vm.serial.tail()}`);
    // What is only in the page cache is part of the story too.
    await vm.shell.ok("sync");
  });
}
