import { describe, expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { accountsWithKeys } from "../support/injected-node.ts";
import { untilBooted } from "../support/node.ts";
import { ssh } from "../support/reach.ts";
import { injected, node } from "./story.ts";
import { doctorAsAdmin, filled } from "../../support/documented/elsewhere.ts";

describe("accounts", () => {
  test("accounts have exactly the injected ssh keys, which they can read and not write", () =>
    node.use(async (vm) => {
      const folder = guestosLayout.accountKeysRuntime;
      expect(await vm.shell.ok(`stat --format '%n %a %U:%G' ${folder} ${folder}/*`)).toBe(
        [`${folder} 755 root:root`, ...accountsWithKeys.toSorted().map((name) => `${folder}/${name} 640 root:${name}`), ""].join("\n"),
      );
      for (const account of accountsWithKeys) {
        const lines = await vm.shell.ok(`cat ${folder}/${account}`);
        expect(lines).toBe(injected.config[`accounts_ssh_authorized_keys/${account}`]);
      }
    }));

  test("who has a key gets in by ssh, and no one else", () =>
    node.use(async (vm) => {
      const { keys } = injected;
      const [admin, root, foreignKey, noKey, without] = await Promise.all([
        ssh(vm, { account: "admin", key: keys.admin, command: "id --user --name" }),
        ssh(vm, { account: "root", key: keys.root, command: "id --user --name" }),
        ssh(vm, { account: "admin", key: keys.readonly }),
        ssh(vm, { account: "admin" }),
        ssh(vm, { account: "backup", key: keys.admin }),
      ]);
      expect(admin).toMatchObject({ status: 0, stdout: "admin\n" });
      expect(root).toMatchObject({ status: 0, stdout: "root\n" });
      // Nothing else than a key is asked for: no password.
      for (const refused of [foreignKey, noKey, without]) {
        expect(refused.status).toBe(255);
        expect(refused.stderr).toContain("Permission denied (publickey).");
      }
    }));

  test("who administers the node sees the boot as admin, and does through sudo what root alone may do; readonly sees it, and does no more", () =>
    node.use(async (vm) => {
      const { keys } = injected;
      await untilBooted(vm);
      const asAdmin = async (command: string) => ssh(vm, { account: "admin", key: keys.admin, command });
      const asReadonly = async (command: string) =>
        ssh(vm, { account: "readonly", key: keys.readonly, command: `${command}; echo "ended with $?"` });
      expect(await asAdmin("guestos-boot status")).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^done: nothing is missing or wrong\n/),
      });
      for (const verb of ["why store-key", "analyze time", "list", "graph", "upgrade status", "status --watch"])
        expect(await asAdmin(`guestos-boot ${verb}`), verb).toMatchObject({ status: 0, stderr: "" });
      expect((await asAdmin("guestos-boot doctor; echo ended with $?")).stdout).toBe("ended with 5\n");
      const doctor = await asAdmin(filled(doctorAsAdmin, { sudo: "sudo -n" }));
      expect([doctor.status, doctor.stderr], doctor.stdout).toEqual([0, ""]);
      expect((await asReadonly("guestos-boot status")).stdout).toMatch(/^done: nothing is missing or wrong\n[^]*ended with 0\n$/);
      expect((await asReadonly("sudo -n true")).stdout).toBe("ended with 1\n");
      // The account of a service is neither.
      const other = await vm.shell.run("setpriv --reuid=node_exporter --regid=node_exporter --init-groups guestos-boot status");
      expect([other.status, other.stdout]).toEqual([5, ""]);
    }));
});
