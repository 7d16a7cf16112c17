import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { translatedArguments } from "../../../src/cli/manageboot.ts";
import { main } from "../../../src/cli/program.ts";
import type { Setup } from "../../../src/run/setup.ts";
import { configured } from "../../../src/run/load-setup.ts";
import { type ProfileName, profiles } from "../../../src/profiles/profiles.ts";
import { blockOf, type BootState } from "../../../src/upgrade/boot-state.ts";
import type { Place, SlotPlaces } from "../../../src/upgrade/slot-places.ts";
import { signatureText } from "../../../src/upgrade/signature.ts";
import { writeNodeFolder } from "../node-folders.ts";
import { namespaceRoot } from "../namespace.ts";
import { bootFrom, firstBoot, noOpBoot, type RecordedBoot } from "../recorded-boots.ts";
import { HASH, installed, proven } from "../slot-machine.ts";
import { testLayout } from "../test-layout.ts";
import { compressions, imageTar, sha256Of, smallImage } from "../update-images.ts";
import { EventScript } from "../record-events.ts";

export interface Ended {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a recorded boot left of a node, as a folder, and a host's folder with what documents speak of. */
export interface RecordedNode {
  /** The working folder. */
  readonly folder: string;
  readonly root: string;
  /** Runs a line of a document, where its values and a node's paths are those of the folder. */
  readonly run: (line: string) => Promise<Ended>;
}

const image = compressions["tar.zst"](imageTar(smallImage));

/** What is in a document for a value. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/"\$HASH"|\bHASH\b/g, sha256Of(image)],
  [/\bSHA256\b/g, HASH],
  [/\bUNIT\b/g, "hostname"],
  [/\bCOMMAND\b/g, "status"],
  [/\bDEVICE\b/g, "device.img"],
  [/\bDISK NUMBER NAME\b/g, "disk.img 1 A_boot"],
  [/\bDISK\b/g, "disk.img"],
];

/** B's partitions, for which it has files. */
export function placesOf(root: string): SlotPlaces {
  const place = (name: string): Place => {
    const path = join(root, "dev", `B_${name}`);
    return { path, bytes: statSync(path).size, kind: "file" };
  };
  return { boot: place("boot"), root: place("root"), var: place("var") };
}

/** A's system is in the state that is given; without one, it is stable and an image is installed in B. */
export function recordedNode(state: BootState = { alternative: "A", cycle: "stable", trial: undefined }): RecordedNode {
  const root = namespaceRoot();
  const folder = join(root, "work");
  const layout = testLayout(root);
  const put = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
  };
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const before = "00000000-0000-4000-8000-000000000001";
  put(join(layout.run, "record.jsonl"), `${ofBoot(noOpBoot, bootId)}${runSince(bootId)}`);
  put(join(layout.records, `20261120T171131Z-${before}.jsonl`), ofBoot(firstBoot, before));
  put(layout.versionFile, "1.0.0\n");
  put(layout.grubenv, blockOf(state, []));
  put(join(layout.config.slots, "A.json"), JSON.stringify(proven));
  put(join(layout.config.slots, "B.json"), JSON.stringify(installed));
  put(layout.config.configured, "");
  writeNodeFolder(join(folder, "stick"));
  put(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/bash\nnode_exporter:x:801:801::/:/bin/false\n");
  put(join(root, "etc/group"), "root:x:0:\nnode_exporter:x:801:\n");
  put(join(root, "boot/config/network.conf"), "hostname=node-7\nname_servers=10.0.2.3\n");
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  put(join(layout.upgradeKeys, "own.pem"), publicKey.export({ type: "spki", format: "pem" }));
  for (const [name, bytes] of Object.entries({ boot: 2 ** 20, root: 2 ** 21, var: 2 ** 16 })) {
    put(join(root, `dev/B_${name}`), Buffer.alloc(bytes, "B"));
  }
  const work = (name: string, content: string | Uint8Array, mode?: number): void => put(join(folder, name), content, mode);
  work("update.tar.zst", image);
  work("update.tar.zst.sig", signatureText(sha256Of(image), privateKey));
  work("update.tar", imageTar(smallImage));
  work("network.conf", "hostname=node-7\n");
  work("node7/network.conf", "hostname=node-7\n");
  work("keys/admin", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGEkR3cW3KNi1iwNJyCPlYHJhbWYyWxJRvNaGCaJMXDn admin\n");
  for (const name of ["node7.jsonl", "other-node.jsonl", "before.jsonl"]) cpSync(firstBoot.file, join(folder, name));
  cpSync(noOpBoot.file, join(folder, "after.jsonl"));
  work("dist/guestos-boot_0.1.0_amd64.deb", "");
  mkdirSync(join(folder, "tree/tmp"), { recursive: true });
  mkdirSync(join(root, "bin"));
  symlinkSync(process.execPath, join(root, "bin/node"));
  return {
    ...{ folder, root },
    async run(line) {
      if (/\bD(?:EVICE|ISK)\b/.test(line)) await makeDevices(folder);
      const ready = PLACEHOLDERS.reduce((text, [found, value]) => text.replaceAll(found, value), line);
      const ours = /^(guestos-boot|manageboot)((?: [^\s|<>"']+)*)(?: > (\S+))?$/.exec(ready);
      return ours === null ? inShell(ready, root, folder) : ofOurs(ours, root, folder, state.trial !== undefined);
    },
  };
}

/** Names of the units that ran in the recorded boot. */
const recorded = new Set(bootFrom(noOpBoot).runs.flatMap(({ units }) => units.map(({ name }) => name)));

/** In this process, because starting another one takes most of a command's time; test/system/cli starts it for real. */
async function ofOurs([, name = "", words = "", file]: RegExpExecArray, root: string, folder: string, isOnTrial: boolean): Promise<Ended> {
  const lines = { out: "", err: "" };
  const terminal = {
    print: (line: string) => void (lines.out += `${line}\n`),
    complain: (line: string) => void (lines.err += `${line}\n`),
    colour: false,
  };
  const setup = async (profile: ProfileName = "guestos"): Promise<Setup> => {
    const { chain, medium, maintenance, health } = profiles[profile];
    const configuration = { files: [], executables: [], problems: [] };
    // On trial it counts that each unit has run: those that there were when the boot was recorded.
    const units = (await chain()).filter((unit) => !isOnTrial || recorded.has(unit.name));
    return configured({ profile, chain: units, layout: testLayout(root), medium, maintenance, health, configuration });
  };
  const before = process.cwd();
  process.chdir(folder);
  try {
    const status = await main(translatedArguments(name, words.split(" ").slice(1)), terminal, setup);
    if (file !== undefined) writeFileSync(file, lines.out);
    return { status, stdout: lines.out, stderr: lines.err };
  } finally {
    process.chdir(before);
  }
}

async function inShell(line: string, root: string, folder: string): Promise<Ended> {
  const moved = line.replaceAll(/(?<=\s)\/(?:run\/guestos-boot|boot\/config)\//g, (path) => `${root}${path}`);
  const { exitCode, stdout, stderr } = await execa("bash", ["-e", "-o", "pipefail", "-c", moved], {
    cwd: line.startsWith("node src/") ? process.cwd() : folder,
    env: { ...process.env, PATH: `${join(root, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin` },
    ...{ extendEnv: false, stdin: "ignore", reject: false, timeout: 60_000, stripFinalNewline: false },
  });
  return { status: exitCode, stdout, stderr };
}

/** A recorded boot as the record of the boot with that id. */
function ofBoot({ file }: RecordedBoot, bootId: string): string {
  const text = readFileSync(file, "utf8");
  const [, recorded = ""] = /"bootId":"([^"]+)"/.exec(text) ?? [];
  return text.replaceAll(recorded, bootId);
}

/** The units that the release of the recorded boot did not have, as an operator ran them since. */
function runSince(bootId: string): string {
  const names = ["system-bus", "network-applied"];
  const script = new EventScript(
    names.map((name) => ({ name })),
    { bootId, at: 400 },
  );
  for (const name of names) script.ended(401, name, { kind: "unchanged", activated: [] });
  const { events } = script.finish(402, "done");
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** A file system, and a disk with one partition, as files. */
async function makeDevices(folder: string): Promise<void> {
  for (const name of ["device.img", "disk.img"]) {
    writeFileSync(join(folder, name), "");
    truncateSync(join(folder, name), 32 * 1024 * 1024);
  }
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  await execa("mkfs.ext4", ["-q", "device.img"], { cwd: folder, env });
  await execa("sfdisk", ["--quiet", "disk.img"], { cwd: folder, env, input: "label: gpt\nsize=1MiB, name=wrong\n" });
}
