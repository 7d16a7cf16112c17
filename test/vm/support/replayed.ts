import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { isProfileName, profiles } from "../../../src/profiles/profiles.ts";
import { readObservation } from "../../../src/run/read-observation.ts";
import { replay, type Replayed } from "../../../src/run/replay.ts";
import { systemHost } from "../../../src/system/host.ts";

const OBSERVED = "/run/guestos-boot/observed.jsonl";

/**
 * What the plans of the last run on that machine decide when they are made again, here. Empty where it was not observed, or has a
 * configuration of its own.
 */
export async function replayedHere(vm: VirtualMachine): Promise<readonly Replayed[]> {
  const packed = await vm.shell.ok(`[ ! -e ${OBSERVED} ] || gzip --stdout ${OBSERVED} | base64`);
  if (packed === "") return [];
  const folder = mkdtempSync(join(tmpdir(), "guestos-boot-observed-"));
  try {
    const file = join(folder, "observed.jsonl");
    writeFileSync(file, gunzipSync(Buffer.from(packed, "base64")));
    const { run, told } = await readObservation(systemHost(), file);
    if (run === undefined || run.configuration.length > 0 || !isProfileName(run.profile)) return [];
    const profile = profiles[run.profile];
    return await replay(await profile.chain(), told, profile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
