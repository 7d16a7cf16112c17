import { systemClock } from "../../base/clock.ts";
import { systemHost } from "../../system/host.ts";
import { type FindPlaces, install, type Installed } from "../../upgrade/install.ts";
import { unusedSlotPlaces } from "../../upgrade/slot-places.ts";
import { trustFor } from "../../upgrade/trust.ts";
import { verifyImage } from "../../upgrade/verify-image.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { imageSource } from "../image-source.ts";
import type { Setup } from "../../run/setup.ts";
import { untilStopped } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { mib, progressDisplay } from "./upgrade-progress.ts";
import { asOperator, locked } from "./upgrade-work.ts";

export interface ImageFlags {
  /** A path, an http(s) address, or "-" for standard input. */
  readonly image: string;
  readonly sha256?: string;
  readonly signature?: string;
  readonly insecure: boolean;
  /** Bytes a second. */
  readonly limitRate?: number;
  /** A file of header fields for the server. */
  readonly headerFile?: string;
  readonly json: boolean;
}

export interface InstallFlags extends ImageFlags {
  /** Also accept a version that is not newer than the running one. */
  readonly allowDowngrade: boolean;
}

/** Installs an image into the slot that does not run. @param findPlaces finds the slot's partitions; replaced in tests */
export async function upgradeInstall(
  { layout }: Setup,
  flags: InstallFlags,
  terminal: Terminal,
  findPlaces: FindPlaces = unusedSlotPlaces,
): Promise<ExitName> {
  const open = imageSource(flags);
  return asOperator(async (host) => {
    const trust = await trustFor(host, layout, flags);
    const { allowDowngrade } = flags;
    const display = progressDisplay(terminal, () => systemClock.now() * 1000);
    const installed = await locked(host, layout, "install", async () => {
      const source = await open(host);
      return install(host, layout, { source, trust, allowDowngrade, onProgress: display.show }, findPlaces);
    }).finally(display.end);
    if (flags.json) printJson(terminal, { ...installed, trust: trust.kind });
    else for (const line of summary(installed)) terminal.print(line);
    return "ok";
  });
}

/** Checks an image as an install would, and writes nothing. */
export async function upgradeVerify({ layout }: Setup, flags: ImageFlags, terminal: Terminal): Promise<ExitName> {
  const open = imageSource(flags);
  return untilStopped(async ({ signal }) => {
    const host = systemHost({ signal });
    const trust = await trustFor(host, layout, flags);
    const source = await open(host);
    const display = progressDisplay(terminal, () => systemClock.now() * 1000);
    const received = await verifyImage(source, trust, display.show).finally(display.end);
    const { version, sha256, bytes, hasManifest, members } = received;
    const [boot, root] = [members["boot.img"].bytes, members["root.img"].bytes];
    if (flags.json) printJson(terminal, { version, sha256, bytes, hasManifest, trust: trust.kind, boot, root });
    else {
      terminal.print(
        `${source.name} is a complete image of version ${version}${trust.kind === "insecure" ? ", whose origin was not verified" : ""}`,
      );
      terminal.print(`sha256 ${sha256}`);
      terminal.print(`boot.img ${mib(boot)} MiB, root.img ${mib(root)} MiB, ${hasManifest ? "as in the manifest" : "no manifest"}`);
    }
    return "ok";
  });
}

const BEGINNINGS: Readonly<Record<Installed["beginning"], string | undefined>> = {
  fresh: undefined,
  resumed: "an interrupted install of the same image was resumed: content that the slot already held was not written again",
  restarted: "an interrupted install of another image was discarded",
};

function summary({ slot, version, sha256, beginning, rootHash, received, boot, root, seconds }: Installed): readonly string[] {
  const sum = (key: keyof typeof boot): string => mib(boot[key] + root[key]);
  const note = BEGINNINGS[beginning];
  return [
    ...(note === undefined ? [] : [note]),
    `slot ${slot} holds version ${version} (sha256 ${sha256})`,
    rootHash === undefined
      ? "its root is not verified when it runs: its kernel's command line has no root_hash"
      : `its root matches root_hash=${rootHash}`,
    `received ${mib(received)} MiB; written ${sum("written")} MiB, zeroed ${sum("zeroed")} MiB, identical ${sum("identical")} MiB`,
    `${seconds.receive.toFixed(1)} s to receive and write, ${seconds.readBack.toFixed(1)} s to read back`,
    "next: guestos-boot upgrade commit",
  ];
}
