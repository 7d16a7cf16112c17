import { describe, expect, test } from "vitest";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { guestosBoot, recordOf, runDocument } from "../support/chain.ts";
import { injectedNetwork } from "../support/injected-node.ts";
import { ssh } from "../support/reach.ts";
import { injected, node } from "./story.ts";
import { argumentsOf, networkAndHostname } from "../../support/documented/elsewhere.ts";

/** The default route of IPv4, and what networkd calls the state of the link. */
async function ipv4Way(vm: VirtualMachine): Promise<string> {
  return `${await vm.shell.ok("ip -4 route show default")}${await vm.shell.ok("networkctl --no-legend list 'en*'")}`;
}

describe("changes of the network", () => {
  test("an edited network.conf is applied to the running node, once, and what changed is shown", () =>
    node.use(async (vm) => {
      const { nameServer } = injectedNetwork;
      await vm.shell.ok(
        "sed --in-place --expression 's/^name_servers=.*/& 2001:db8:6772::3/' --expression 's/^hostname=.*/hostname=renamed/' /boot/config/network.conf",
      );
      const units = argumentsOf(networkAndHostname);
      const plan = await guestosBoot(vm, `plan --json ${units}`);
      expect(plan.status, plan.stderr).toBe(11);
      const first = await guestosBoot(vm, `--json ${units}`);
      expect(first.status, first.stderr).toBe(0);
      const done = runDocument(first);
      const activated = done.units.flatMap((unit) => unit.activated).join("\n");
      expect(done.units.flatMap((unit) => unit.provisioned)).toEqual([]);
      expect(activated).toContain(`name servers ${nameServer} → ${nameServer} 2001:db8:6772::3`);
      expect(activated).toContain("set the host name to renamed");
      expect(await vm.shell.ok("resolvectl dns")).toContain(`${nameServer} 2001:db8:6772::3`);
      expect(await vm.shell.ok("hostname")).toBe("renamed\n");
      const second = await guestosBoot(vm, `--json ${units}`);
      expect(second.status).toBe(0);
      expect(runDocument(second).units.flatMap((unit) => unit.activated)).toEqual([]);
      expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "hostname" })).toMatchObject({ stdout: "renamed\n" });
    }));

  test("a gateway on the link is reached from a /32, and a domain that networkd drops costs nothing but itself", () =>
    node.use(async (vm) => {
      const { address } = injectedNetwork;
      const conf = await vm.shell.ok("cat /boot/config/network.conf");
      await vm.shell.ok(
        `sed --in-place --expression 's/^ipv4_address=.*/ipv4_address=${address}\\/032/' --expression 's/^domain=.*/domain=localhost.localdomain/' /boot/config/network.conf`,
      );
      const first = await guestosBoot(vm, "--json --unit network");
      expect(first.status, first.stdout).toBe(10);
      const line = conf.split("\n").findIndex((text) => text.startsWith("domain=")) + 1;
      const degraded = {
        outcome: "degraded",
        units: [{ name: "network", outcome: "degraded", problem: { where: { file: "/boot/config/network.conf", line, column: 8 } } }],
      };
      expect(runDocument(first)).toMatchObject(degraded);
      expect(await vm.shell.ok("ip -4 -brief address show scope global")).toContain(`${address}/32`);
      expect(await ipv4Way(vm)).toMatch(/^default via 10\.0\.2\.2 .*onlink[^]*configured/);
      // It says so again, and has nothing to do.
      const second = await guestosBoot(vm, "--json --unit network");
      expect(second.status).toBe(10);
      expect(runDocument(second)).toMatchObject(degraded);
      expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
      expect((await guestosBoot(vm, "status")).stdout).toContain("degraded: the node is usable, without a part of network");
      // As in a boot: what requires the network runs, and the service takes that exit status for success.
      const late = await guestosBoot(vm, "run --stage late");
      expect(late.status, late.stderr).toBe(10);
      expect(await vm.shell.ok("systemctl show -P SuccessExitStatus guestos-boot.service")).toContain("10");
      const run = (await recordOf(vm)).runs.at(-1);
      expect(run?.facts.stage).toBe("late");
      expect(run?.units.filter(({ result }) => result?.kind === "skipped")).toEqual([]);
      expect(await ssh(vm, { account: "admin", key: injected.keys.admin, command: "true" })).toMatchObject({ status: 0 });
      // A slip in an address leaves the network of a node that runs as it is.
      await vm.shell.ok("sed --in-place 's/^ipv4_address=.*/ipv4_address=10.0.2.256\\/24/' /boot/config/network.conf");
      const slip = await guestosBoot(vm, "--json --unit network");
      expect(slip.status, slip.stdout).toBe(3);
      expect(await ipv4Way(vm)).toMatch(/^default via 10\.0\.2\.2 .*onlink[^]*configured/);
      await vm.shell.ok(`printf '%s' '${conf}' > /boot/config/network.conf`);
      expect((await guestosBoot(vm, "--unit network")).status).toBe(0);
      expect((await guestosBoot(vm, "status")).status).toBe(0);
    }));

  test("networkd starts as soon as its file is there, not when the disks are open", () =>
    node.use(async (vm) => {
      const at = async (property: string, unit: string): Promise<number> =>
        Number(await vm.shell.ok(`systemctl show -P ${property}TimestampMonotonic ${unit}`));
      const started = await at("ExecMainStart", "systemd-networkd.service");
      expect(started).toBeGreaterThan(await at("ExecMainStart", "guestos-boot.service"));
      expect(started).toBeLessThan(await at("ActiveEnter", "guestos-boot.service"));
      expect(await vm.shell.ok("systemctl show -P TriggeredBy guestos-network.target")).toBe("guestos-network.path\n");
      // Where the chain cannot run, nothing writes the file.
      expect(await vm.shell.ok("systemctl show -P OnFailure guestos-boot.service")).toContain("systemd-networkd.service");
    }));

  test("an operator who stops networkd finds it stopped, and the unit network starts it", () =>
    node.use(async (vm) => {
      const active = async (): Promise<string> => (await vm.shell.run("systemctl is-active systemd-networkd.service")).stdout.trim();
      await vm.shell.ok("systemctl stop systemd-networkd.service systemd-networkd.socket; sleep 2");
      expect(await active()).toBe("inactive");
      const first = await guestosBoot(vm, "--json --unit network");
      expect(first.status, first.stderr).toBe(0);
      expect(runDocument(first).units.flatMap((unit) => unit.activated)).toEqual([
        expect.stringMatching(/^start systemd-networkd, which applies it to \S+$/),
      ]);
      expect(await active()).toBe("active");
      const second = await guestosBoot(vm, "--json --unit network");
      expect(second.status).toBe(0);
      expect(runDocument(second).units.flatMap((unit) => unit.activated)).toEqual([]);
      // The address went with it, which the monitor may have seen.
      expect((await guestosBoot(vm, "--unit ipv6-monitor")).status).toBe(0);
    }));
});
