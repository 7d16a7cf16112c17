import { describe, expect, test } from "vitest";
import { guestosBoot } from "../support/chain.ts";
import { wordsIn } from "../support/clean-boot.ts";
import { BOOT_TIMEOUT, untilBooted } from "../support/node.ts";
import { writeOwn } from "../support/own-configuration.ts";
import { afterPowerCut } from "./story.ts";

/** An extra unit of one half, without which a boot fails: it does what the file of its name in /run says. */
const toldUnit = (name: string, stage: "early" | "late") => [
  {
    path: `/etc/guestos-boot/units.d/${name}/unit.yaml`,
    mode: "0644",
    content: `title: End as it is told\nstage: ${stage}\nonFailure: stop\ntimeout: 300\n`,
  },
  {
    path: `/etc/guestos-boot/units.d/${name}/${name}`,
    mode: "0755",
    content: `#!/bin/sh
case "$(cat /run/${name} 2>/dev/null) $1" in
  "fail plan") echo '{"conflict":{"what":"it was told to fail"}}' ;;
  "wait plan") echo '{"actions":[{"id":"wait","description":"wait","effect":"activate"}]}' ;;
  "wait apply") touch /run/waiting; exec sleep 250 ;;
  *) echo '{"nothing":true}' ;;
esac
`,
  },
];

describe("a failed boot", () => {
  test("a boot that fails, or dies, before or after it has said that it is ready is a failed boot, and starting the target runs it again", () =>
    afterPowerCut.use(async (vm) => {
      const states = async (): Promise<string> =>
        (await vm.shell.run("systemctl is-active guestos-boot.service guestos-boot-late.service guestos-boot.target")).stdout;
      const asked = async (): Promise<number> =>
        Number(await vm.shell.ok("systemctl show -P ConditionTimestampMonotonic guestos-go-back.service"));
      const all = { timeout: BOOT_TIMEOUT };
      await untilBooted(vm);
      await writeOwn(vm, [...toldUnit("first", "early"), ...toldUnit("last", "late")]);

      let before = await asked();
      const failing = await vm.shell.run(
        "echo fail >/run/last; systemctl stop guestos-boot.service; systemctl start guestos-boot.target",
        all,
      );
      expect(failing.status).not.toBe(0);
      expect(await states()).toMatch(/^failed\n(failed|inactive)\ninactive\n$/);
      expect(await vm.shell.ok("systemctl show -P ExecMainStatus guestos-boot.service")).toBe("3\n");
      expect(vm.serial.text).toMatch(/\| BOOT FAILED: last +\|/);
      expect(await asked()).toBeGreaterThan(before);
      await vm.shell.ok("rm /run/last; systemctl start guestos-boot.target", all);
      expect(await states()).toBe("active\nactive\nactive\n");

      // Killed in its early half, and in its late half: systemd waits for the service, then for the byte.
      for (const [name, waiting] of [
        ["first", "activating\ninactive\ninactive\n"],
        ["last", "active\nactivating\ninactive\n"],
      ] as const) {
        before = await asked();
        // As in a boot that has told the host nothing yet.
        await vm.shell.ok("rmdir /run/guestos-boot-word");
        const said = vm.serial.text.length;
        await vm.shell.ok(
          `rm --force /run/waiting; echo wait >/run/${name}; systemctl stop guestos-boot.service; systemctl --no-block start guestos-boot.target; until [ -e /run/waiting ]; do sleep 1; done`,
          all,
        );
        expect(await states()).toBe(waiting);
        await vm.shell.ok(
          "systemctl kill --kill-whom=main --signal=KILL guestos-boot.service; while systemctl is-active guestos-boot.service guestos-boot-late.service | grep -qE '^(active|activating|deactivating)$'; do sleep 1; done",
          all,
        );
        expect(await states()).toMatch(/^failed\n(failed|inactive)\ninactive\n$/);
        expect(await asked()).toBeGreaterThan(before);
        expect(await vm.shell.ok("systemctl show -P ConditionResult guestos-go-back.service")).toBe("no\n");
        const status = await guestosBoot(vm, "status");
        expect(status).toMatchObject({ status: 13, stdout: expect.stringContaining("was cut off before its end") });
        await vm.waitForSerial(/GUESTOS BOOT \w+/, { from: said });
        await vm.shell.ok(`rm /run/${name}; systemctl start guestos-boot.target`, all);
        expect(await states()).toBe("active\nactive\nactive\n");
        expect((await guestosBoot(vm, "status")).status).toBe(0);
        // Once: the start that repaired it says no other one.
        expect(wordsIn(vm, said)).toEqual(["FAILURE"]);
      }
    }));
});
