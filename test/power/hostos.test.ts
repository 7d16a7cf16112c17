import { expect, test, vi } from "vitest";
import * as z from "../../src/base/schema.ts";
import { hostos } from "../support/chains.ts";
import { guestosBoot, plannedUnits, runDocument, troublesOf } from "../vm/support/chain.ts";
import { assertCleanBoot } from "../vm/support/clean-boot.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, untilBooted } from "../vm/support/node.ts";

/** A HostOS, with the configuration of the lab, and no system on the volume of its guest. `make test` has no time for its boots. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const NAME = "hostos";
const first = bootedNode({ name: NAME, profile: "hostos" });

/** Of lab/hostos-config.json, by the formula of IC-OS. */
const ADDRESS = "2001:db8:6772:0:6800:a5ff:fecf:dc85";
const MAC = "6a:00:a5:cf:dc:85";

test("the first boot ends well: the bridge has the computed address, and everything runs", () =>
  first.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    expect(await troublesOf(vm)).toEqual({});
    expect(runDocument(await guestosBoot(vm, "status --json")).units.map(({ name }) => name)).toEqual(hostos.map(({ name }) => name));
    expect(await vm.shell.ok("hostname")).toBe("host-5254006c6162\n");
    expect(await vm.shell.ok("cat /sys/class/net/br6/address /sys/class/net/br6/brif/*/../address")).toBe(`${MAC}\n${MAC}\n`);
    expect(await vm.shell.ok("ip -o -6 address show dev br6 scope global")).toContain(` ${ADDRESS}/64 `);
    expect(await vm.shell.ok("findmnt -no SOURCE,FSTYPE /var")).toBe("/dev/mapper/hostlvm-A_var ext4\n");
    expect(await vm.shell.ok("systemctl is-active guestos-boot.target libvirtd.service guestos-vsock.socket ssh.service")).toBe(
      "active\nactive\nactive\nactive\n",
    );
    const plan = await guestosBoot(vm, "plan --json");
    expect(new Set(Object.values(plannedUnits(plan))), plan.stdout).toEqual(new Set(["nothing"]));
    const doctor = await guestosBoot(vm, "doctor");
    expect(doctor.status, doctor.stdout).toBe(0);
    await assertCleanBoot(vm);
  }));

const Guest = z.object({
  machine: z.object({ state: z.string() }),
  service: z.object({ phase: z.string(), problem: z.object({ code: z.string() }) }),
});

test("a guest without a system is not started, and what keeps it running says why; it outlives libvirt", () =>
  first.use(async (vm) => {
    const guest = async (): Promise<z.infer<typeof Guest>> => Guest.parse(JSON.parse((await guestosBoot(vm, "guest --json")).stdout));
    // A start may be under way: what counts is what comes of it.
    await vm.shell.ok("for _ in $(seq 60); do guestos-boot guest --json | grep -Eq 'waiting|crash-loop' && exit; sleep 1; done; exit 1", {
      timeout: BOOT_TIMEOUT,
    });
    const before = await guest();
    expect(before.machine.state).toBe("absent");
    expect(before.service.problem.code).not.toBe("");
    await vm.shell.ok("systemctl kill --signal KILL libvirtd.service");
    await vm.shell.ok("for _ in $(seq 60); do timeout 20 virsh --connect qemu:///system list && exit; sleep 1; done; exit 1", {
      timeout: BOOT_TIMEOUT,
    });
    expect((await guest()).machine.state).toBe("absent");
    expect(await vm.shell.ok("systemctl is-active guestos.service")).toBe("active\n");
  }));

test("a configuration with a mistake is named with its place, and the network stays as it is", () =>
  first.use(async (vm) => {
    await vm.shell.ok("cp -p /boot/config/config.json /run/good && sed -i 's/2001:db8:6772::2/nowhere/' /boot/config/config.json");
    // The first is degraded. The other one keeps the address that it has, rather than one without a gateway.
    for (const [name, status] of [
      ["hostos-config", 10],
      ["network", 3],
    ] as const) {
      const run = await guestosBoot(vm, `--unit ${name}`);
      expect(run.status, run.stdout).toBe(status);
      expect(run.stdout).toMatch(/\/boot\/config\/config\.json:\d+:\d+/);
    }
    expect(await vm.shell.ok("ip -o -6 address show dev br6 scope global")).toContain(` ${ADDRESS}/64 `);
    await vm.shell.ok("cat /run/good >/boot/config/config.json && sync");
    expect((await guestosBoot(vm, "--unit hostos-config --unit network")).status).toBe(0);
  }));

const keptOf = "sha256sum /etc/machine-id /boot/config/ssh/* /boot/config/intents/* /boot/config/config.json";
let kept = "";
const again = bootedNode(() =>
  first.use(async (vm) => {
    kept = await vm.shell.ok(keptOf);
    await vm.powerCut();
    return { name: `${NAME}-again`, profile: "hostos" as const, disk: diskOf(NAME) };
  }),
);

test("after a power cut the host boots as well, every unit is unchanged, and nothing is lost", () =>
  again.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    const { units } = runDocument(await guestosBoot(vm, "status --json"));
    expect(units.filter(({ outcome }) => outcome !== "unchanged")).toEqual([]);
    expect(await vm.shell.ok(keptOf)).toBe(kept);
    await assertCleanBoot(vm);
  }));
