import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { startVirtualMachine } from "../../../lab/start-virtual-machine.ts";
import { operatorKeyText, sampleConfig } from "../../support/guestos-config-samples.ts";
import type { Tree } from "../../support/todays-media.ts";
import { BOOT_TIMEOUT, kernelBoot, untilBooted } from "./node.ts";

/** The node operator's key. */
export const KEY = operatorKeyText();
export const DIGEST = createHash("sha256").update(KEY).digest("hex");
export const SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGEkR3cW3KNi1iwNJyCPlYHJhbWYyWxJRvNaGCaJMXDn of-the-test\n";

/** What a host of today hands over. */
export const TODAY: Tree = {
  "config.json": sampleConfig("1.17.0", (config) => {
    config.icos_settings["node_operator_private_key"] = KEY;
    config["later"] = "a name of a later version";
  }),
  "accounts_ssh_authorized_keys/recovery": SSH_KEY,
};

interface Seen {
  readonly hostname: string;
  readonly addresses: readonly string[];
  /** The operator's key: digest, mode and owner. */
  readonly key: string;
  readonly accounts: string;
  readonly inForce: boolean;
  readonly status: string;
  /** Of the unit config-injection. */
  readonly injection: string;
  /** What the further commands printed. */
  readonly further: string;
}

interface Boot {
  readonly name: string;
  readonly disk: string;
  /** In its drive; none when absent. */
  readonly medium?: Buffer;
  /** No boot of that disk comes after it. */
  readonly isLast?: true;
  /** Whether the chain is run again before the node is inspected: config-injection is then told of that run. */
  readonly again?: true;
}

/** Boots a node's disk, runs commands on it, and switches it off. @returns what they print */
export async function on({ name, disk, medium, isLast, again }: Boot, commands: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "today-"));
  try {
    const path = join(folder, "config.img");
    if (medium !== undefined) await writeFile(path, medium);
    await using vm = await startVirtualMachine({
      name,
      disk: { path: disk, interface: "virtio" },
      boot: await kernelBoot(),
      media: medium === undefined ? [] : [{ id: "config", image: path }],
    });
    await untilBooted(vm);
    if (again === true) expect(await vm.shell.run("guestos-boot", { timeout: BOOT_TIMEOUT })).toMatchObject({ status: 0 });
    const output = await vm.shell.ok(commands);
    if (isLast !== true) await vm.shutdown();
    return output;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Boots a node's disk, inspects it, runs further commands, and switches it off. */
export async function boot(node: Boot, further = "true"): Promise<Seen> {
  const output = await on(
    node,
    `hostname; ip -6 -oneline address show scope global | grep -o '2001:db8:7::[0-9a-f:]*/64' | sort | tr '\\n' ' '; echo
      sha256sum </var/lib/ic/data/node_operator_private_key.pem | cut -d' ' -f1 | tr '\\n' ' '; stat --format '%a %U' /var/lib/ic/data/node_operator_private_key.pem
      ls /run/ic-node/ssh/authorized_keys | tr '\\n' ' '; echo
      test -e /run/config/config.json && ! grep -q PRIVATE /run/config/config.json /boot/config/config.json; echo $?
      guestos-boot status | head -1
      guestos-boot why config-injection | tr '\\n' ' '
      echo; ${further}`,
  );
  const [hostname = "", addresses = "", key = "", accounts = "", inForce, status = "", why = "", ...rest] = output.split("\n");
  return {
    ...{ hostname, key, status, accounts: accounts.trim(), inForce: inForce === "0", further: rest.join("\n") },
    // Lines are wrapped.
    injection: why.replaceAll(/\s+/g, " "),
    addresses: addresses.split(" ").filter((address) => address !== ""),
  };
}

/** The first line of `guestos-boot status`. */
export const DONE = expect.stringMatching(/^done: nothing is missing or wrong/);
