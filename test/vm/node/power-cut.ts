import { describe, expect, test } from "vitest";
import { guestosBoot, plannedUnits, runDocument } from "../support/chain.ts";
import { assertCleanBoot } from "../support/clean-boot.ts";
import { lastingState } from "../support/lasting-state.ts";
import { untilBooted } from "../support/node.ts";
import { ssh } from "../support/reach.ts";
import { afterPowerCut, clean, injected, lasting, unitsOf } from "./story.ts";

describe("after a power cut", () => {
  test("after a power cut the node boots as well, and every unit is unchanged", () =>
    afterPowerCut.use(async (vm) => {
      expect(await untilBooted(vm)).toBe("running");
      expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
      const units = await unitsOf(vm, ["greeting"]);
      expect(units.filter(({ result }) => result?.kind !== "unchanged")).toEqual([]);
      // FAT has no journal: that it was in use is worth a word. Everything else replays its own.
      expect(units.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`))).toEqual([
        expect.stringMatching(/^mount-boot: .*\(grub\) was not unmounted cleanly/),
      ]);
      await assertCleanBoot(vm, clean);
    }));

  test("a second network card, which sorts before the first, leaves the node on its network", () =>
    afterPowerCut.use(async (vm) => {
      expect(await vm.shell.ok("ls -d /sys/class/net/*/device | sort --version-sort")).toBe(
        "/sys/class/net/enp0s8/device\n/sys/class/net/enp0s16/device\n",
      );
      expect(await vm.shell.ok("ls /run/systemd/network")).toBe("10-enp0s16.network\n");
      expect(await vm.shell.ok("cat /boot/config/network-card.json")).toMatch(/"name": "enp0s16"[^]*"because": "only"/);
      expect(await vm.shell.ok("ip -brief link show dev enp0s8")).toMatch(/ DOWN /);
      const doctor = await guestosBoot(vm, "doctor");
      expect(doctor.stdout).toMatch(/enp0s16 is routable: [^]*; not used: enp0s8/);
      expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "echo in" })).toMatchObject({ stdout: "in\n" });
    }));

  test("a unit and a configuration file in /etc/guestos-boot are part of the boot: it runs like any other, and what the file says counts", () =>
    afterPowerCut.use(async (vm) => {
      const document = runDocument(await guestosBoot(vm, "status --json"));
      expect(document.units.find(({ name }) => name === "greeting")).toMatchObject({ activated: ["write /run/motd.d/10-version"] });
      expect(await vm.shell.ok("cat /run/motd.d/10-version")).toBe("GuestOS 0.1.0\n");
      expect(plannedUnits(await guestosBoot(vm, "plan --json"))["greeting"]).toBe("nothing");
      expect(await vm.shell.ok("guestos-boot list --json | grep -c '\"timeoutSeconds\": 45'")).toBe("1\n");
    }));

  test("a power cut takes nothing that was flushed", () =>
    afterPowerCut.use(async (vm) => {
      const flushed = ["/var/lib/ic/data", "/var/lib/ic/crypto", "/var/lib/ic/backup", "/var/lib"].map((folder) => `${folder}/kept`);
      expect(await vm.shell.ok(`cat ${flushed.join(" ")}`)).toBe("kept\n".repeat(flushed.length));
      const after = await lastingState(vm);
      for (const part of ["the machine id", "the config partition", "grubenv", "the keys in use", "file systems and partitions"])
        expect(after[part], part).toEqual(lasting.before[part]);
    }));
});
