import { describe, expect, test } from "vitest";
import { documents } from "../../../tools/schemas/documents.ts";
import type { ShellResult } from "../../../lab/shell.ts";
import { guestosBoot } from "../support/chain.ts";
import { assertCleanBoot } from "../support/clean-boot.ts";
import { clean, node, RECOVERY } from "./story.ts";
import {
  argumentsOf,
  doctor,
  planOne,
  recovery,
  removeRecovery,
  setRecovery,
  setRecoveryFromFile,
} from "../../support/documented/elsewhere.ts";

describe("the recovery passphrase", () => {
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
      await assertCleanBoot(vm, clean);
      expect((await guestosBoot(vm, argumentsOf(removeRecovery))).status).toBe(0);
      expect(await opens()).toBe(2);
      expect((await guestosBoot(vm, argumentsOf(recovery))).stdout).toContain("no recovery passphrase is set");
    }));
});
