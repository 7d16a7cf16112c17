import { join } from "node:path";
import { type Action, provision } from "../../boot/unit.ts";
import { type HostKey, parseHostKey, publicKeyOf } from "../../config/values/openssh-key.ts";
import type { TreeFile } from "../../system/files/copy-tree.ts";
import { ProblemError } from "../../base/problem.ts";
import { generateHostKey, type HostKeyType, loadedPublicKey } from "../../system/ssh-keygen.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { planRuntimeFolder } from "./runtime-etc.ts";
import { keepAside, setAside } from "./set-aside.ts";
import { inWorkshop, planSweep } from "./scratch-folder.ts";

/**
 * Afterwards /boot/config/ssh holds the node's host keys, made once, and sshd finds them in /etc/ssh.
 *
 * It requires the config partition and nothing else, so that a node with a broken disk can still be reached by ssh. The private half of a
 * pair decides: it is written durably by one rename, and the public half is computed from it. So a power cut leaves either no key, or a
 * pair that the next run completes.
 *
 * A file that is not in a form that OpenSSH writes is checked by OpenSSH's own loader. A file that the loader rejects would lock everyone
 * out permanently. If it holds a key, the same key is written as OpenSSH writes it; if not, a new key is made. The old file is kept beside
 * it under another name, unless it is empty. There is no conflict.
 *
 * If it fails, the boot goes on: a node that serves but allows no login is better than one that does neither.
 */
export const sshHostKeys = unit({
  name: "ssh-host-keys",
  title: "Set up the host keys of sshd",
  requires: [mountBoot],
  owns: ["/boot/config/ssh", "/etc/ssh", "/run/ic-node/etc/ssh", "/run/guestos-boot/ssh-host-keys"],
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
        // Keys that came with the image are the same on every node: anyone with the image could impersonate this node.
        omit: (path) => /^ssh_host_.*_key/.test(path),
        files: async () => keyFiles(host, layout.config.ssh),
        content: "sshd's configuration and the host keys",
      },
      provisions.length > 0,
    );
    return [...(await planSweep(host, layout.runFiles.newKeys.ssh)), ...provisions, ...install];
  },
});

/** RSA is never made: it takes 8 s of a first boot, and no current client needs it. A node that has one keeps it. */
const KEY_TYPES: readonly HostKeyType[] = ["ed25519", "ecdsa", "rsa"];
const OPTIONAL: ReadonlySet<HostKeyType> = new Set(["rsa"]);

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
  const publicLine = await readBySshd(host, file, key);
  if (publicLine === undefined) {
    return key.kind === "key"
      ? [provision(`write the same ${type} host key again, as sshd reads it`, async () => rewriteKey(machine, type, key))]
      : [provision(`replace the ${type} host key, which ${key.reason}`, async () => replaceKey(machine, type, key.reason))];
  }
  const missing: Action[] = [];
  // sshd does not use a private key that others can read (sshd(8), FILES).
  if (facts !== undefined && ((facts.mode & 0o077) !== 0 || facts.uid !== 0)) {
    missing.push(provision(`make ${file} readable by root alone`, async () => host.setAttributes(file, PRIVATE)));
  }
  if (publicText === undefined || publicKeyOf(publicText) !== publicKeyOf(publicLine)) {
    missing.push(provision(`write the public half of the ${type} host key`, async () => host.writeFile(`${file}.pub`, publicLine, PUBLIC)));
  }
  return missing;
}

/**
 * @returns the line of the .pub file; `undefined` for a key that sshd would not read, or could not use. No tool is started for a file in
 *   the form that OpenSSH writes, which every key made here has.
 */
async function readBySshd(host: Machine["host"], file: string, key: ReturnType<typeof parseHostKey>): Promise<string | undefined> {
  if (key.kind === "key" && key.isCanonical) return key.publicLine;
  // OpenSSH's loader does not notice that the two halves do not belong together.
  if (key.kind === "unusable") return undefined;
  const publicKey = publicKeyOf((await loadedPublicKey(host, file)) ?? "");
  return publicKey === undefined ? undefined : `${publicKey}\n`;
}

const PRIVATE = { mode: 0o600, uid: 0, gid: 0 };
const PUBLIC = { mode: 0o644, uid: 0, gid: 0 };

async function replaceKey(machine: Machine, type: HostKeyType, reason: string): Promise<void> {
  const { host, layout, note } = machine;
  const file = fileOf(layout.config.ssh, type);
  note(`the ${type} host key ${reason}; it is replaced, and clients that know it will warn of a changed key`);
  if ((await host.stat(file))?.size !== 0) await setAside(host, file);
  await makeKey(machine, type);
}

/** Replaces the file only once OpenSSH's loader has read the new one as the same key. The old file is kept beside it. */
async function rewriteKey(machine: Machine, type: HostKeyType, { canonical, publicLine }: HostKey): Promise<void> {
  const { host, layout, note } = machine;
  const file = fileOf(layout.config.ssh, type);
  const made = fileOf(layout.runFiles.newKeys.ssh, type);
  await inWorkshop(host, layout.runFiles.newKeys.ssh, async () => {
    await host.writeFile(made, canonical.expose(), PRIVATE);
    if (publicKeyOf((await loadedPublicKey(host, made)) ?? "") !== publicKeyOf(publicLine))
      throw new ProblemError({
        code: "host-key-not-written",
        what: `the ${type} host key could not be written as sshd reads it`,
        where: { file },
        todo: `ssh-keygen -y -f ${file}`,
      });
  });
  const aside = await keepAside(host, file, PRIVATE);
  await host.writeFile(file, canonical.expose(), PRIVATE);
  await host.writeFile(`${file}.pub`, publicLine, PUBLIC);
  note(`sshd could not read the file of the ${type} host key; the same key is written as sshd reads it, and the file is kept as ${aside}`);
}

async function makeKey({ host, layout }: Machine, type: HostKeyType): Promise<void> {
  const made = fileOf(layout.runFiles.newKeys.ssh, type);
  const file = fileOf(layout.config.ssh, type);
  await inWorkshop(host, layout.runFiles.newKeys.ssh, async () => {
    await generateHostKey(host, type, made);
    const text = (await host.readText(made)) ?? "";
    const key = parseHostKey(text);
    if (key.kind !== "key")
      throw new ProblemError({
        code: "ssh-keygen-key-wrong",
        what: `ssh-keygen made a key that ${key.reason}`,
        todo: "check that /run has free space: df -h /run",
      });
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
