import { describe, expect, test } from "vitest";
import type { UnitView } from "../../../src/boot/record/run-view.ts";
import { guestos } from "../../support/chains.ts";
import { guestosBoot, plannedUnits, recordOf, runDocument } from "../support/chain.ts";
import { assertCleanBoot } from "../support/clean-boot.ts";
import { untilBooted } from "../support/node.ts";
import { clean, node } from "./story.ts";
import { argumentsOf, boot as bootCommand, plan as planCommand } from "../../support/documented/elsewhere.ts";

const MEMORY_LIMIT = 120 * 1024 ** 2;
const MIB = 1024 ** 2;

describe("the boot chain", () => {
  test("the first boot ends well, in one process, and the target is reached", () =>
    node.use(async (vm) => {
      expect(await vm.shell.ok("systemctl is-active guestos-boot.target guestos-boot.service guestos-boot-late.service")).toBe(
        "active\nactive\nactive\n",
      );
      expect(await untilBooted(vm)).toBe("running");
      const ran = await vm.shell.ok("systemctl show --property ExecStart guestos-boot.service");
      expect(ran).toMatch(new RegExp(String.raw`argv\[\]=\S*/${bootCommand} --wait 300 ;.* status=0 `));
      const { runs } = await recordOf(vm);
      expect(runs.map(({ facts }) => facts.stage).filter((stage) => stage !== undefined)).toEqual(["boot"]);
      const status = await guestosBoot(vm, "status --json");
      expect(status.status).toBe(0);
      const { outcome, units } = runDocument(status);
      expect(outcome).toBe("done");
      expect(units.map(({ name }) => name).toSorted()).toEqual(guestos.map(({ name }) => name).toSorted());
      expect(units.filter(({ outcome: how }) => how !== "changed" && how !== "unchanged")).toEqual([]);
      expect(units.flatMap(({ notes }) => notes)).toEqual([]);
    }));

  test("the boot is clean: nothing failed, nothing warned, no secret shows anywhere", () =>
    node.use(async (vm) => {
      await assertCleanBoot(vm, clean);
      expect(await vm.shell.ok("journalctl -k -b -q -p err -o cat")).toBe("");
      expect(await vm.shell.ok("systemctl show --property LimitCORE guestos-boot.service guestos-boot-late.service")).toBe(
        "LimitCORE=0\n\nLimitCORE=0\n",
      );
    }));

  test("the program came with the Debian package", () =>
    node.use(async (vm) => {
      expect(await vm.shell.ok("dpkg-query --show --showformat '${db:Status-Status}' guestos-boot")).toBe("installed");
      expect(await vm.shell.ok("dpkg-query --search /usr/bin/guestos-boot")).toBe("guestos-boot: /usr/bin/guestos-boot\n");
    }));

  test("the boot process never used more than 120 MiB", ({ annotate }) =>
    node.use(async (vm) => {
      const { events } = await recordOf(vm);
      const peaks = events.flatMap((event) => (event.event === "run-ended" ? [event.peakMemory] : []));
      await annotate(`peak memory of the runs: ${peaks.map((bytes) => `${((bytes ?? 0) / MIB).toFixed(0)} MiB`).join(", ")}`);
      expect(peaks.length).toBeGreaterThanOrEqual(1);
      for (const peak of peaks) {
        expect(peak).toBeGreaterThan(0);
        expect(peak).toBeLessThanOrEqual(MEMORY_LIMIT);
      }
    }));

  test("plan finds nothing to do on a booted node", () =>
    node.use(async (vm) => {
      const plan = await guestosBoot(vm, `${argumentsOf(planCommand)} --json`);
      expect(plan.status, plan.stderr).toBe(0);
      expect(plannedUnits(plan)).toEqual(Object.fromEntries(guestos.map(({ name }) => [name, "nothing"])));
    }));

  test("what the rest of the system waits for ends first, what needs it goes on beside it, and the target and the monitor come last", () =>
    node.use(async (vm) => {
      const at = async (property: string, unit: string): Promise<number> =>
        Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
      const ready = await at("ActiveEnter", "guestos-boot.service");
      for (const unit of ["local-fs.target", "sysinit.target", "dbus.socket", "ssh.service"])
        expect(await at("InactiveExit", unit), unit).toBeGreaterThan(ready);
      const target = await at("ActiveEnter", "guestos-boot.target");
      expect(target).toBeGreaterThan(await at("ExecMainExit", "guestos-boot-late.service"));
      expect(await at("ExecMainStart", "guestos-monitor.service")).toBeGreaterThan(target);
      const boot = (await recordOf(vm)).runs.find(({ facts }) => facts.stage === "boot");
      const unitOf = (name: string): UnitView | undefined => boot?.units.find((unit) => unit.name === name);
      // What waits for the bus begins when systemd has been told, and not when it has finished.
      expect(unitOf("system-bus")?.startedAt).toBeGreaterThanOrEqual(unitOf("upgrade-data-store")?.endedAt ?? Infinity);
      expect(unitOf("system-bus")?.endedAt).toBeGreaterThan(ready / 1e6);
      // The firewall needs no bus: its rules are in force before that is there.
      expect(unitOf("nftables")?.endedAt).toBeLessThan((await at("ActiveEnter", "dbus.service")) / 1e6);
      expect(unitOf("nftables")?.startedAt).toBeGreaterThan((await at("ActiveEnter", "nftables.service")) / 1e6);
    }));
});
