import { expect, test, vi } from "vitest";
import { guestosBoot, plannedUnits, runDocument } from "../vm/support/chain.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, untilBooted } from "../vm/support/node.ts";
import { configFile, exampleUnit, writeOwn } from "../vm/support/own-configuration.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";

/**
 * What /etc/guestos-boot says of a boot: a node is provisioned without it, gets the extra unit of docs/extra-units.md and a configuration
 * file, boots with them, and then with a file that cannot be used.
 */

vi.setConfig({ testTimeout: 4 * BOOT_TIMEOUT });

const NAME = "own";
const OWN = "/etc/guestos-boot";
const GOOD = "units:\n  hostname: { timeout: 45 }\n  journalbeat: { off: true }\n";
const BROKEN = "units:\n  hostname: { timeout: soon }\n";

async function shutDown(vm: VirtualMachine): Promise<void> {
  await vm.qmp("set-action", { reboot: "shutdown" });
  await vm.shell.run("systemctl --no-block reboot");
  await vm.ended;
}

const first = bootedNode({ name: NAME, size: "8G", boot: "unverified", config: { "nns.conf": "nns_url=http://[2001:db8::1]:8080\n" } });

const configured = bootedNode(() =>
  first.use(async (vm) => {
    await writeOwn(vm, [...(await exampleUnit()), configFile(GOOD)]);
    await vm.shell.ok("guestos-boot verify");
    await shutDown(vm);
    return { name: "own-configured", disk: diskOf(NAME), boot: "unverified" };
  }),
);

test("a boot does what the file says, and the extra unit is one like any other", () =>
  configured.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    const { outcome, units } = runDocument(await guestosBoot(vm, "status --json"));
    expect(outcome).toBe("done");
    expect(units.map(({ name }) => name)).not.toContain("journalbeat");
    expect(units.find(({ name }) => name === "greeting")).toMatchObject({
      outcome: "unchanged",
      activated: ["write /run/motd.d/10-version"],
    });
    expect(await vm.shell.ok("cat /run/motd.d/10-version")).toBe("GuestOS 0.1.0\n");
    expect(plannedUnits(await guestosBoot(vm, "plan --json"))["greeting"]).toBe("nothing");
    expect(await vm.shell.ok("guestos-boot list --json | grep -c '\"timeoutSeconds\": 45'")).toBe("1\n");
    expect((await guestosBoot(vm, "doctor")).status).toBe(0);
  }));

const broken = bootedNode(() =>
  configured.use(async (vm) => {
    await writeOwn(vm, [configFile(BROKEN)]);
    await shutDown(vm);
    return { name: "own-broken", disk: diskOf(NAME), boot: "unverified" };
  }),
);

test("with a file that cannot be used a provisioned node boots by the defaults, degraded, and says where the mistake is", () =>
  broken.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    const { units } = runDocument(await guestosBoot(vm, "status --json"));
    const others = units.filter(({ outcome }) => outcome !== "unchanged").map(({ name, outcome }) => `${name} ${outcome}`);
    expect(others).toEqual(["configuration degraded"]);
    expect(vm.serial.text).toMatch(/configuration +degraded/);
    expect(vm.serial.text).toContain(`${OWN}/config.yaml:2:24`);
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target guestos-monitor.service ssh.service")).toBe(
      "active\nactive\nactive\n",
    );
    const status = await guestosBoot(vm, "status");
    expect(status.status).toBe(10);
    for (const command of ["verify", "plan", "list", "--unit hostname", "upgrade confirm"]) {
      const { status: code, stderr } = await guestosBoot(vm, command);
      // A stable system has nothing to confirm, whatever the file says.
      expect([command, code]).toEqual([command, command === "upgrade confirm" ? 0 : 18]);
      if (code !== 0) expect(stderr).toContain("config.yaml:2:24");
    }
    const doctor = await guestosBoot(vm, "doctor");
    expect(doctor.status).toBe(17);
    expect(doctor.stdout).toMatch(/config\.yaml/);
  }));
