import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stateFolder } from "../../image/paths.ts";
import type { Accelerator } from "../../lab/accelerator.ts";
import type { DiskAttachment } from "../../lab/qemu-command.ts";
import { onOverlay } from "./explorer.ts";
import type { WriteLog } from "./log-writes.ts";
import type { Recording } from "./recording.ts";
import type { Recovered } from "./recovered.ts";
import { Replay } from "./replay.ts";

/**
 * The state that a node is in when nothing came between: at the first point of a recording, at which nothing of it is written, or at the last
 * one, at which all is. Kept in a file, which belongs to the recording.
 */
export async function undisturbed(
  file: string,
  { recording, log }: { readonly recording: Recording; readonly log: WriteLog },
  when: "first" | "last",
  boot: (machine: string, disk: DiskAttachment) => Promise<Recovered>,
  kind?: Accelerator["kind"],
): Promise<Recovered["state"]> {
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8")) as Recovered["state"];
  const machine = "crash-undisturbed";
  await using replay = new Replay(join(stateFolder(machine), "replayed.img"), recording, log, 0);
  const point = when === "first" ? { window: 0, variant: 0 } : { window: replay.windows.length - 1, variant: 1 };
  const { failure, state } = await replay.at(point, async (disk) =>
    onOverlay(machine, disk, async (overlay) => boot(machine, overlay), kind),
  );
  if (failure !== undefined) throw new Error(`the boot after the undisturbed one failed: ${failure}`);
  await writeFile(file, `${JSON.stringify(state, undefined, 2)}\n`);
  return state;
}
