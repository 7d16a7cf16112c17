import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { partitionNamed } from "../../image/layout.ts";
import { stateFolder } from "../../image/paths.ts";
import { smallGuestPartitions } from "../../image/small-guest/small-guest.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import type { Slot } from "../../src/config/layout/layout.ts";
import { blockOf } from "../../src/upgrade/boot-state.ts";
import { hostos } from "../support/chains.ts";
import { tinyKernel } from "../support/tiny-guest.ts";
import { guestosBoot, plannedUnits, runDocument, troublesOf } from "../vm/support/chain.ts";
import { assertCleanBoot } from "../vm/support/clean-boot.ts";
import { guestOf, guestThat, isUp } from "../vm/support/guest.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf, untilBooted } from "../vm/support/node.ts";

/** A HostOS, with the configuration and the small guest of the lab. `make test` has no time for its boots. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const NAME = "hostos";
const first = bootedNode(async () => {
  const drive = join(stateFolder(NAME), "nvme.img");
  await mkdir(stateFolder(NAME), { recursive: true });
  await writeFile(drive, "");
  await truncate(drive, 64 * 1024 * 1024);
  // With room for the guest's huge pages.
  return { name: NAME, profile: "hostos", memory: 4096, extraDisks: [{ path: drive, format: "raw", interface: "nvme" }] };
});

/** Of lab/hostos-config.json, by the formula of IC-OS. */
const ADDRESS = "2001:db8:6772:0:6800:a5ff:fecf:dc85";
const MAC = "6a:00:a5:cf:dc:85";

test("the first boot ends well: the bridge has the computed address, and everything runs", () =>
  first.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    expect(await troublesOf(vm)).toEqual({});
    expect(runDocument(await guestosBoot(vm, "status --json")).units.map(({ name }) => name)).toEqual(hostos.map(({ name }) => name));
    expect(await vm.shell.ok("hostname")).toBe("host-5254006c6162\n");
    expect(await vm.shell.ok("cat /sys/class/net/br6/address /sys/class/net/br6/brif/e*/../address")).toBe(`${MAC}\n${MAC}\n`);
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

test("huge pages are reserved for a guest that runs on the host's processor, and given back for one that is emulated", () =>
  first.use(async (vm) => {
    const reserved = "cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
    // libvirt finds them there.
    expect(await vm.shell.ok("findmnt -no FSTYPE /dev/hugepages")).toBe("hugetlbfs\n");
    await vm.shell.ok(`cp -p /boot/config/config.json /run/good && sed -i 's/"qemu"/"kvm"/' /boot/config/config.json`);
    for (const [config, pages] of [
      ["true", "512"],
      ["cat /run/good >/boot/config/config.json && sync", "0"],
    ] as const) {
      await vm.shell.ok(config);
      const run = await guestosBoot(vm, "--unit huge-pages");
      expect(run.status, run.stdout).toBe(0);
      expect(await vm.shell.ok(reserved)).toBe(`${pages}\n`);
    }
  }));

test("a drive says how it is: the metrics have it, under the names of hosts", () =>
  first.use(async (vm) => {
    await vm.shell.ok("systemctl start guestos-hardware.service");
    const text = await vm.shell.ok("cat /run/node_exporter/collector_textfile/hostos_hardware.prom");
    expect(text).toContain('hostos_hardware_readable{source="nvme0n1"} 1\n');
    expect(text).toContain('hostos_drive_failing{device="nvme0n1"} 0\n');
    expect(text).toMatch(/^nvme_temperature_celsius\{device="nvme0n1"\} [1-9]\d*$/m);
    expect(await vm.shell.ok("systemctl is-active guestos-hardware.timer")).toBe("active\n");
  }));

const TIMEOUT = 2 * BOOT_TIMEOUT;
const SERIAL_LOG = "/var/log/libvirt/qemu/guestos-serial.log";
const processOfGuest = async (vm: VirtualMachine): Promise<string> => vm.shell.ok("pgrep -f '[g]uest=guestos'");
const killGuest = async (vm: VirtualMachine): Promise<string> => vm.shell.ok("pkill -KILL -f '[g]uest=guestos'");

/** Writes a file on a partition of the guest's disk in place, as an installation in the guest does. */
async function writeOnGuest(vm: VirtualMachine, partition: "grub" | "A_boot" | "B_boot", name: string, bytes: Uint8Array): Promise<void> {
  const { startMiB, sizeMiB } = partitionNamed(smallGuestPartitions(), partition);
  const [offset, size] = [startMiB, sizeMiB].map((mib) => mib * 1024 * 1024);
  await vm.shell.ok(
    [
      `mkdir -p /run/of-guest && mount -o loop,offset=${offset},sizelimit=${size} /dev/hostlvm/guestos /run/of-guest`,
      `echo ${Buffer.from(bytes).toString("base64")} | base64 --decode | dd of=/run/of-guest/${name} conv=notrunc status=none`,
      `truncate --size ${bytes.length} /run/of-guest/${name} && umount /run/of-guest && sync`,
    ].join(" && "),
  );
}

/** A kernel that says so and then waits for its power button: it is up within seconds, emulated in an emulated machine. */
const writeSystem = async (vm: VirtualMachine, slot: Slot, says: "SUCCESS" | "FAILURE"): Promise<void> =>
  writeOnGuest(vm, `${slot}_boot`, "vmlinuz", tinyKernel(`slot ${slot}\nGUESTOS BOOT ${says}\n`, "obey"));
const tryNext = async (vm: VirtualMachine, alternative: Slot): Promise<void> =>
  writeOnGuest(vm, "grub", "grubenv", blockOf({ alternative, cycle: "first_boot", trial: undefined }, []));

test("the small guest of the image comes up, in a machine that is not root's, and asks its host; stopped, it heeds its power button", () =>
  first.use(async (vm) => {
    await guestThat(vm, "up", TIMEOUT, (guest) => isUp(guest, "A"));
    // By the vsock of its machine. The host takes its time to answer: a program is started for each request.
    const reply = `timeout 300 sh -c 'until grep "the host replies" ${SERIAL_LOG}; do sleep 2; done'`;
    expect(await vm.shell.ok(reply, { timeout: TIMEOUT })).toContain('{"Ok":{"HostOSVersion":"0.1.0"}}');
    expect(await vm.shell.ok("ps -o user:20= -p $(pgrep -f '[g]uest=guestos')")).toBe("libvirt-qemu\n");
    await guestosBoot(vm, "guest stop");
    expect(await vm.shell.ok(`cat ${SERIAL_LOG}`)).toContain("the power button was pressed");
    expect(await guestOf(vm)).toMatchObject({
      machine: { state: "absent" },
      service: { phase: "stopped" },
    });
    await writeSystem(vm, "A", "SUCCESS");
    await guestosBoot(vm, "guest start");
    await guestThat(vm, "up again", TIMEOUT, (guest) => isUp(guest, "A"));
  }));

test("a guest whose process is killed comes back; one whose libvirt is killed goes on", () =>
  first.use(async (vm) => {
    const { service } = await guestThat(vm, "up", TIMEOUT, (guest) => isUp(guest, "A"));
    const killed = await processOfGuest(vm);
    await killGuest(vm);
    await guestThat(vm, "back", TIMEOUT, (guest) => isUp(guest, "A") && guest.service.since !== service.since);
    const before = await processOfGuest(vm);
    expect(before).not.toBe(killed);
    await vm.shell.ok("systemctl kill --signal KILL libvirtd.service");
    await vm.shell.ok("for _ in $(seq 60); do timeout 20 virsh --connect qemu:///system list && exit; sleep 1; done; exit 1", {
      timeout: BOOT_TIMEOUT,
    });
    await guestThat(vm, "known", TIMEOUT, (guest) => isUp(guest, "A"));
    expect(await processOfGuest(vm)).toBe(before);
  }));

test("an upgrade of the guest ends on B, which confirms itself; one that fails ends on the system before it", () =>
  first.use(async (vm) => {
    await tryNext(vm, "B");
    await killGuest(vm);
    await guestThat(vm, "B is up", TIMEOUT, (guest) => isUp(guest, "B"));
    const confirmed = { next: "B", onTrial: false, grubenv: { alternative: "B", cycle: "stable" } };
    expect(JSON.parse((await guestosBoot(vm, "guest slot --json")).stdout)).toMatchObject(confirmed);
    await writeSystem(vm, "B", "SUCCESS");
    await writeSystem(vm, "A", "FAILURE");
    await tryNext(vm, "A");
    await killGuest(vm);
    const { service } = await guestThat(vm, "B is up again", TIMEOUT, (guest) => isUp(guest, "B") && guest.service.problem !== undefined);
    expect(service).toMatchObject({ onTrial: false, problem: { code: "guest-fell-back" } });
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
    await writeSystem(vm, "A", "SUCCESS");
    await tryNext(vm, "A");
    await killGuest(vm);
    // As it starts, or soon after: an inspection takes seconds.
    await guestThat(vm, "a new system is started", TIMEOUT, (guest) => guest.service.phase === "starting" || isUp(guest, "A"));
    await vm.powerCut();
    return { name: `${NAME}-again`, profile: "hostos" as const, disk: diskOf(NAME) };
  }),
);

test("after a power cut as the guest started a new system, the host boots as well, every unit is unchanged, and the guest is up", () =>
  again.use(async (vm) => {
    expect(await untilBooted(vm)).toBe("running");
    // The new one has its try, or has had it.
    const { service } = await guestThat(vm, "up", TIMEOUT, (guest) => isUp(guest, "A") || isUp(guest, "B"));
    expect(service.onTrial).toBe(service.slot === "A");
    const { units } = runDocument(await guestosBoot(vm, "status --json"));
    expect(units.filter(({ outcome }) => outcome !== "unchanged")).toEqual([]);
    expect(await vm.shell.ok(keptOf)).toBe(kept);
    await assertCleanBoot(vm);
  }));
