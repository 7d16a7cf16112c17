import { expect, test, vi } from "vitest";
import { documents } from "../../tools/schemas/documents.ts";
import type { ShellResult } from "../../lab/shell.ts";
import {
  argumentsOf,
  doctor,
  planOne,
  recovery,
  removeRecovery,
  setRecovery,
  setRecoveryFromFile,
} from "../support/documented/elsewhere.ts";
import { guestosBoot } from "../vm/support/chain.ts";
import { assertCleanBoot } from "../vm/support/clean-boot.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { BOOT_TIMEOUT, bootedNode } from "../vm/support/node.ts";

/** On a running node. That it saves the data where the key file is lost is in test/vm/conflicts/keys.ts. */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const RECOVERY = "canary of the recovery passphrase 5150";
const injected = await injectedNode();
const node = bootedNode({ name: "recovery-passphrase", size: "8G", boot: "kernel", config: injected.config });

test("a recovery passphrase is set on the running node, opens the header of its store, and shows nowhere", () =>
  node.use(async (vm) => {
    const typed = async (command: string): Promise<ShellResult> =>
      vm.shell.run(`printf '%s\\n' '${RECOVERY}' | ${command}`, { timeout: 600_000 });
    const opens = async (): Promise<number> =>
      (await typed("cryptsetup open --test-passphrase --type luks2 /dev/disk/by-partlabel/store")).status;
    expect(await opens()).toBe(2);
    const set = await typed(`${setRecovery} --json`);
    expect(set.status, set.stderr).toBe(0);
    expect(documents["recovery-passphrase"].schema.parse(JSON.parse(set.stdout))).toEqual({
      device: "/dev/vda10",
      state: "set",
      done: "added",
    });
    expect(await opens()).toBe(0);
    await vm.shell.ok(`(umask 077; echo '${RECOVERY}' >/run/passphrase)`);
    const again = await vm.shell.run(setRecoveryFromFile, { timeout: 600_000 });
    expect(again.stdout, again.stderr).toContain("nothing was changed");
    await vm.shell.ok("rm /run/passphrase");
    // The node's own key still opens it, and the chain has nothing to do.
    expect((await guestosBoot(vm, argumentsOf(planOne, { NAME: "store-key" }))).status).toBe(0);
    expect((await guestosBoot(vm, argumentsOf(doctor))).stdout).toContain("a recovery passphrase is set");
    await assertCleanBoot(vm, { secrets: [...injected.secrets, { name: "recovery passphrase", bytes: Buffer.from(RECOVERY) }] });
    expect((await guestosBoot(vm, argumentsOf(removeRecovery))).status).toBe(0);
    expect(await opens()).toBe(2);
    expect((await guestosBoot(vm, argumentsOf(recovery))).stdout).toContain("no recovery passphrase is set");
  }));
