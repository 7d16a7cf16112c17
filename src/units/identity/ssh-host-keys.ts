import { join } from "node:path";
import { type Action, provision } from "../../boot/unit.ts";
import { parseHostKey, publicKeyOf } from "../../config/values/openssh-key.ts";
import type { TreeFile } from "../../system/files/copy-tree.ts";
import { ProblemError } from "../../base/problem.ts";
import { generateHostKey, type HostKeyType } from "../../system/ssh-keygen.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { planRuntimeFolder } from "./runtime-etc.ts";
import { inWorkshop, planSweep } from "./scratch-folder.ts";

/**
 * Afterwards /boot/config/ssh holds the node's host keys, made once, and sshd finds them in /etc/ssh.
 *
 * It needs the config partition and nothing else, so that a node whose disk is broken can still be reached by ssh.
 * The private half is the truth of a pair: it appears whole and durable, by one rename, and the public half is computed
 * from it. So a power cut leaves either no key, or one that heals. A private half that sshd could not use would lock
 * everyone out for ever, so it is replaced, and kept beside under another name where there is anything in it. Nothing is ever
 * in the way: there is no conflict.
 *
 * The boot goes on without it: a node that serves but cannot be logged into is better than one that does neither.
 */
export const sshHostKeys = unit({
  name: "ssh-host-keys",
  title: "Set up the host keys of sshd",
  requires: [mountBoot],
  owns: ["/boot/config/ssh", "/etc/ssh", "/run/ic-node/etc/ssh"],
  onFailure: "degrade",
  timeout: 120_000,
  async plan(machine) {
    const { host, layout } = machine;
    const planned = await Promise.all(KEY_TYPES.map(async (type) => planKey(machine, type)));
    const provisions = planned.flat();
    const install = await planRuntimeFolder(
      machine,
      {
        target: layout.etc.ssh,
        source: layout.runtimeEtc.ssh,
        // Keys that came with the image are the same on every node: whoever has the image could pose as this one.
        omit: (path) => /^ssh_host_.*_key/.test(path),
        files: async () => keyFiles(host, layout.config.ssh),
        content: "sshd's configuration and the host keys",
      },
      provisions.length > 0,
    );
    return [...(await planSweep(host, layout.runFiles.newKeys.ssh)), ...provisions, ...install];
  },
});

/** RSA is never made: it takes 8 s of a first boot, and no client of today asks for it. A node that has one keeps it. */
const KEY_TYPES: readonly HostKeyType[] = ["ed25519", "ecdsa", "rsa"];
const OPTIONAL: ReadonlySet<HostKeyType> = new Set(["rsa"]);
/** What the first field of the key says: the part of it that does not depend on the curve. */
const ALGORITHMS = { ed25519: "ssh-ed25519", ecdsa: "ecdsa-sha2-", rsa: "ssh-rsa" } satisfies Record<HostKeyType, string>;

function fileOf(folder: string, type: HostKeyType): string {
  return join(folder, `ssh_host_${type}_key`);
}

async function planKey(machine: Machine, type: HostKeyType): Promise<readonly Action[]> {
  const { host, layout } = machine;
  const file = fileOf(layout.config.ssh, type);
  const [text, publicText, facts] = await Promise.all([host.readText(file), host.readText(`${file}.pub`), host.stat(file)]);
  if (text === undefined) {
    if (OPTIONAL.has(type)) return [];
    const why = publicText === undefined ? "" : ", of which only the public half is there";
    return [provision(`make the ${type} host key${why}`, async () => makeKey(machine, type))];
  }
  const key = parseHostKey(text);
  const reason = key.kind === "unusable" ? key.reason : key.type.startsWith(ALGORITHMS[type]) ? undefined : `is of type ${key.type}`;
  if (reason !== undefined)
    return [provision(`replace the ${type} host key, which ${reason}`, async () => replaceKey(machine, type, reason))];
  const missing: Action[] = [];
  // sshd does not use a private key that others can read (sshd(8), FILES).
  if (facts !== undefined && ((facts.mode & 0o077) !== 0 || facts.uid !== 0)) {
    missing.push(provision(`take ${file} from all but root`, async () => host.setAttributes(file, PRIVATE)));
  }
  if (key.kind === "key" && (publicText === undefined || publicKeyOf(publicText) !== publicKeyOf(key.publicLine))) {
    missing.push(
      provision(`write the public half of the ${type} host key`, async () => host.writeFile(`${file}.pub`, key.publicLine, PUBLIC)),
    );
  }
  return missing;
}

const PRIVATE = { mode: 0o600, uid: 0, gid: 0 };
const PUBLIC = { mode: 0o644, uid: 0, gid: 0 };

async function replaceKey(machine: Machine, type: HostKeyType, reason: string): Promise<void> {
  const { host, layout, note } = machine;
  const file = fileOf(layout.config.ssh, type);
  note(`the ${type} host key ${reason}; it is replaced, and clients that know it will warn of a changed key`);
  if ((await host.stat(file))?.size !== 0) await host.rename(file, `${file}.unusable`);
  await makeKey(machine, type);
}

async function makeKey({ host, layout }: Machine, type: HostKeyType): Promise<void> {
  const made = fileOf(layout.runFiles.newKeys.ssh, type);
  const file = fileOf(layout.config.ssh, type);
  await inWorkshop(host, layout.runFiles.newKeys.ssh, async () => {
    await generateHostKey(host, type, made);
    const text = (await host.readText(made)) ?? "";
    const key = parseHostKey(text);
    if (key.kind === "unusable")
      throw new ProblemError({ what: `ssh-keygen made a key that ${key.reason}`, todo: "check that /run has free space: df -h /run" });
    await host.makeFolder(layout.config.ssh, { mode: 0o700 });
    await host.writeFile(file, text, PRIVATE);
    await host.writeFile(`${file}.pub`, key.publicLine, PUBLIC);
  });
}

async function keyFiles(host: Machine["host"], folder: string): Promise<readonly TreeFile[]> {
  const files: TreeFile[] = [];
  for (const type of KEY_TYPES) {
    const path = fileOf("", type);
    const [content, publicContent] = await Promise.all([host.readBytes(join(folder, path)), host.readBytes(join(folder, `${path}.pub`))]);
    if (content !== undefined) files.push({ path, content, ...PRIVATE });
    if (publicContent !== undefined) files.push({ path: `${path}.pub`, content: publicContent, ...PUBLIC });
  }
  return files;
}
