import { describe, expect, test } from "vitest";
import * as z from "../../../src/base/schema.ts";
import { DiffDocument } from "../../../src/analyze/documents.ts";
import { guestosBoot, recordOf, runDocument, toolRuns } from "../support/chain.ts";
import { assertCleanBoot } from "../support/clean-boot.ts";
import { lastingState } from "../support/lasting-state.ts";
import { BOOT_TIMEOUT, untilBooted } from "../support/node.ts";
import { clean, lasting, rebooted, unitsOf } from "./story.ts";

/**
 * A boot with nothing to do starts these and no others: more of them is a slower boot of every node.
 * Mounts: one for the four below /boot, /var, one for the three below /var/lib/ic, and what is bound over /etc.
 */
const TOOLS_OF_A_SECOND_BOOT = { mount: 6, cryptsetup: 2, vgchange: 1, swapon: 1, nft: 2 };

describe("the second boot", () => {
  test("after a reboot every unit is unchanged, and few tools were needed for it", ({ annotate }) =>
    rebooted.use(async (vm) => {
      expect(await untilBooted(vm)).toBe("running");
      expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
      const units = await unitsOf(vm);
      expect(units.filter(({ result }) => result?.kind !== "unchanged")).toEqual([]);
      const tools = toolRuns((await recordOf(vm)).events);
      await annotate(`tools started in a boot with nothing to do: ${tools.length}`);
      const counts = Object.entries(Object.groupBy(tools, (line) => line.split(" ", 1)[0] ?? ""));
      expect(Object.fromEntries(counts.map(([program, lines]) => [program, lines?.length])), tools.join("\n")).toEqual(
        TOOLS_OF_A_SECOND_BOOT,
      );
      const plan = await guestosBoot(vm, "plan --json");
      expect(plan.status, plan.stdout).toBe(0);
      await assertCleanBoot(vm, clean);
    }));

  test("a reboot changes nothing that lasts: identity, keys, configuration, data, file systems", () =>
    rebooted.use(async (vm) => {
      expect(Object.keys(lasting.before).length).toBeGreaterThan(0);
      expect(await lastingState(vm)).toEqual(lasting.before);
    }));

  test("the node shut down in order: nothing was busy, and nothing had to be repaired", () =>
    rebooted.use(async (vm) => {
      expect(await vm.shell.ok("journalctl -b -1 -q -o cat _PID=1 | grep -i 'failed unmounting' || true")).toBe("");
      expect((await unitsOf(vm)).flatMap(({ notes }) => notes)).toEqual([]);
      expect(await vm.shell.ok("journalctl -k -b -q -o cat --grep 'XFS .*mount'")).toMatch(/Ending clean mount/);
    }));

  test("the journal and the record of the boot before can be read, since the machine id is the same", () =>
    rebooted.use(async (vm) => {
      const boots = z.array(z.object({ boot_id: z.string() })).parse(await vm.shell.json("journalctl --list-boots --output json"));
      expect(boots).toHaveLength(2);
      expect(await vm.shell.ok("ls /var/log/journal")).toBe(await vm.shell.ok("cat /etc/machine-id"));
      expect(await vm.shell.ok("journalctl -b -1 -q -o cat SYSLOG_IDENTIFIER=guestos-boot")).toMatch(/^machine-id +changed/m);
      const diff = DiffDocument.parse(await vm.shell.json("guestos-boot analyze diff 1 0 --json", { timeout: BOOT_TIMEOUT }));
      expect(diff.units.find(({ name }) => name === "volumes")).toMatchObject({
        from: { outcome: "changed" },
        to: { outcome: "unchanged" },
      });
      const status = await guestosBoot(vm, "status --boot 1 --json");
      expect(status.status).toBe(0);
      expect(runDocument(status).units.find(({ name }) => name === "machine-id")?.outcome).toBe("changed");
    }));
});
