import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { imageOf, stateFolder } from "../../image/paths.ts";
import { makeDisk } from "../../lab/disk.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { printable } from "../../lab/serial-log.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { guestosBoot, troublesOf } from "../vm/support/chain.ts";
import { assertCleanBoot } from "../vm/support/clean-boot.ts";
import { BOOT_TIMEOUT, diskOf, untilBooted } from "../vm/support/node.ts";
import { goBackSoon } from "../vm/support/upgrade-stories.ts";
import {
  diskOver,
  serve,
  Snapshots,
  start,
  startedByGrub,
  type TestImage,
  testImage,
  untilRestart,
  upgradeOf,
} from "../vm/support/upgrade.ts";

/**
 * A HostOS upgrades itself as a guest asks for, and goes back where the new version is not healthy. It has no guest: the request comes by
 * vsock from the host itself.
 */

vi.setConfig({ testTimeout: 8 * BOOT_TIMEOUT });

const NAME = "hostos-upgrade";

/** What no upgrade changes, beside the records of slots. */
const KEPT =
  "sha256sum /etc/machine-id /boot/config/ssh/* /boot/config/config.json && ls -l --time-style=+ /boot/config && cat /sys/class/net/br6/address";

interface Ready {
  readonly image: TestImage;
  readonly kept: string;
  /** B is installed and committed, and not booted yet. */
  readonly committed: string;
  /** The same, and libvirt's tool is missing in B. */
  readonly broken: string;
  /** The same, and no host can start the guest: its disk has partitions, and no system. */
  readonly guestless: string;
}

let prepared: Promise<Ready> | undefined;
const ready = async (): Promise<Ready> => (prepared ??= withPanicRetry(asksForB));
const running = new Set<VirtualMachine>();
afterAll(async () => {
  for (const vm of running) await vm.powerCut();
});

async function booted(...args: Parameters<typeof start>): Promise<VirtualMachine> {
  const vm = await start(...args);
  running.add(vm);
  void vm.ended.then(() => running.delete(vm));
  return vm;
}

/** The address that machines have of the server of images, and what it proves itself with. */
async function serverKeys(): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = stateFolder(NAME);
  await mkdir(folder, { recursive: true });
  const [key, cert] = [join(folder, "server.key"), join(folder, "server.pem")];
  const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", ...made, "-subj", "/CN=images", "-addext", "subjectAltName=IP:10.0.2.2"], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** What makes the host serve itself (vsock(7), VMADDR_CID_LOCAL), and trust the server. */
const servingItself = (cert: string): string => `modprobe vsock_loopback
  cat >/run/images.pem <<'END'
${cert}END
  units=/run/systemd/system
  mkdir -p $units/guestos-vsock@.service.d $units/guestos-vsock-upgrade@.service.d
  printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/guestos-boot vsock-agent --cid 1\\n' >$units/guestos-vsock@.service.d/self.conf
  printf '[Service]\\nEnvironment=NODE_EXTRA_CA_CERTS=/run/images.pem\\n' >$units/guestos-vsock-upgrade@.service.d/trust.conf
  systemctl daemon-reload`;

/** Sends a request as a guest does, and waits for the reply; `undefined` where a busy host could not give one in time. */
async function asks(vm: VirtualMachine, message: unknown): Promise<unknown> {
  const request = JSON.stringify({ sender_cid: 1, message });
  const reply = await vm.shell.ok(`printf %s '${request}' | socat -t 300 - VSOCK-CONNECT:1:19090`, { timeout: BOOT_TIMEOUT });
  return reply === "" ? undefined : JSON.parse(reply);
}

/** A is asked to upgrade, and does all that the guest waits for. */
async function asksForB(): Promise<Ready> {
  const image = await testImage("0.2.0", undefined, "hostos");
  const keys = await serverKeys();
  const server = await serve(image, keys);
  const disk = await makeDisk({ backing: imageOf("hostos").disk, path: diskOf(NAME), size: "8G" });
  const vm = await booted(NAME, disk);
  try {
    expect(await startedByGrub(vm)).toBe("A (stable)");
    expect(await untilBooted(vm)).toBe("running");
    const kept = await vm.shell.ok(KEPT);
    await vm.shell.ok(servingItself(keys.cert));
    expect(await asks(vm, "GetHostOSVersion")).toEqual({ Ok: { HostOSVersion: "0.1.0" } });
    // A slow machine takes longer than a guest waits: it asks again.
    const upgrade = { upgrade: { url: server.url, "target-hash": image.sha256 } };
    let reply = await asks(vm, upgrade);
    for (let time = 0; time < 3 && (reply === undefined || JSON.stringify(reply).includes("not finished the job in time")); time += 1)
      reply = await asks(vm, upgrade);
    expect(reply).toEqual({ Ok: "NoPayload" });
    expect(await upgradeOf(vm)).toMatchObject({
      ...{ running: "A", phase: "committed", next: "B", toDo: [] },
      slots: { A: { kind: "proven", version: "0.1.0" }, B: { kind: "installed", version: "0.2.0", sha256: image.sha256 } },
    });
    const snapshots = new Snapshots(vm, NAME, disk);
    const committed = await snapshots.take();
    // In a minute; what follows may take longer.
    const manager = "org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager";
    expect(await vm.shell.ok(`busctl get-property ${manager} ScheduledShutdown`)).toMatch(/^\(st\) "reboot" [1-9]/);
    await vm.shell.ok("shutdown -c");
    const inRoot = (script: string): string => `mount /dev/hostlvm/B_root /run/b && ${script} && umount /run/b && sync`;
    await vm.shell.ok(`mkdir /run/b && ${inRoot("mv /run/b/usr/bin/virsh /run/b/usr/bin/not-virsh")}`);
    const broken = await snapshots.take();
    await vm.shell.ok(inRoot("mv /run/b/usr/bin/not-virsh /run/b/usr/bin/virsh"));
    await vm.shell.ok("echo 'label: gpt' | sfdisk --quiet /dev/hostlvm/guestos && sync");
    const guestless = await snapshots.take();
    return { image, kept, committed, broken, guestless };
  } finally {
    server.close();
    await vm.powerCut();
  }
}

async function assertKeepsB({ image, kept, committed }: Ready): Promise<void> {
  const name = `${NAME}-kept`;
  const disk = await diskOver(committed, name);
  const b = await booted(name, disk);
  expect(await startedByGrub(b)).toBe("B (failsafe_check)");
  expect(await untilBooted(b)).toBe("running");
  expect((await b.shell.ok("cat /proc/cmdline")).split(/\s+/)).toEqual(
    expect.arrayContaining(["dfinity.system=B", "root=/dev/mapper/hostlvm-B_root", "guestos-boot.trial"]),
  );
  expect(await b.shell.ok("for at in / /boot /var; do findmnt -no SOURCE $at; done")).toBe(
    "/dev/mapper/hostlvm-B_root\n/dev/mapper/hostlvm-B_boot\n/dev/mapper/hostlvm-B_var\n",
  );
  expect(await troublesOf(b)).toEqual({});
  // No one but the host itself confirms it.
  const isStable = 'guestos-boot upgrade --json | grep -q \'"phase": "stable"\'';
  // It says so once all is written.
  const hasEnded = "systemctl show --property ActiveState guestos-confirm.service | grep -qx ActiveState=inactive";
  await b.shell.ok(`for _ in $(seq 300); do ${isStable} && ${hasEnded} && exit; sleep 2; done; exit 1`, { timeout: BOOT_TIMEOUT });
  expect(await b.shell.ok("systemctl show --property Result guestos-confirm.service")).toBe("Result=success\n");
  expect(await b.shell.ok("journalctl -b -q -o cat -u guestos-confirm.service")).toMatch(
    /slot B is confirmed \(boot record, version, libvirt, bridge, gateway, guest: healthy\)/,
  );
  expect(await upgradeOf(b)).toMatchObject({
    ...{ running: "B", version: "0.2.0", phase: "stable", next: "B", toDo: [], refused: [] },
    slots: { A: { kind: "proven" }, B: { kind: "proven", version: "0.2.0", image: { sha256: image.sha256 } } },
  });
  expect(await b.shell.ok(KEPT)).toBe(kept);
  expect((await guestosBoot(b, "doctor")).status).toBe(0);
  await assertCleanBoot(b);
  await b.shell.run("systemctl reboot");
  await untilRestart(b, BOOT_TIMEOUT);

  const again = await booted(name, disk);
  expect(await startedByGrub(again)).toBe("B (stable)");
  expect(await untilBooted(again)).toBe("running");
  expect(await again.shell.ok("systemctl show --property ConditionResult guestos-confirm.service")).toBe("ConditionResult=no\n");
  expect(await upgradeOf(again)).toMatchObject({ running: "B", phase: "stable", next: "B", toDo: [] });
  await assertCleanBoot(again);
  await again.powerCut();
}

test("B is tried, kept by the host itself once it is healthy, and stays", async () => {
  const host = await ready();
  await withPanicRetry(async () => assertKeepsB(host));
});

/** @param found what the health check says of B. @returns A, to which the host went back */
async function wentBack(name: string, base: string, found: RegExp, { image, kept }: Ready): Promise<VirtualMachine> {
  const disk = await diskOver(base, name);
  const soon = { "systemd.unit-dropin.guestos-confirm.service": "[Service]\nEnvironment=SECONDS_TO_GET_HEALTHY=5\n" };
  const b = await booted(name, disk, { credentials: { ...goBackSoon, ...soon } });
  expect(await startedByGrub(b)).toBe("B (failsafe_check)");
  await untilRestart(b, BOOT_TIMEOUT);
  const said = printable(b.serial.text);
  expect(said).toMatch(/guestos-trial\[\d+\]: .*health checks failed/);
  expect(said).toMatch(found);
  expect(said).toMatch(/guestos-trial\[\d+\]: The machine restarts in 3 s/);

  const a = await booted(name, disk);
  expect(await startedByGrub(a)).toBe("A (stable)");
  expect(await untilBooted(a)).toBe("running");
  const why = expect.stringMatching(new RegExp(`it was started and not confirmed.*; it found: .*${found.source}`));
  expect(await upgradeOf(a)).toMatchObject({
    ...{ running: "A", version: "0.1.0", phase: "stable", next: "A", toDo: [] },
    slots: { A: { kind: "proven" }, B: { kind: "failed", sha256: image.sha256, reason: why } },
    refused: [{ sha256: image.sha256, reason: why }],
  });
  expect(await a.shell.ok(KEPT)).toBe(kept);
  return a;
}

async function assertLeavesB(host: Ready): Promise<void> {
  const a = await wentBack(`${NAME}-left`, host.broken, /libvirt: .*virsh/, host);
  // The guest may ask again: it is told so, and nothing is tried a second time.
  await a.shell.ok(servingItself((await serverKeys()).cert));
  const reply = await asks(a, { upgrade: { url: "https://10.0.2.2/update.tar", "target-hash": host.image.sha256 } });
  expect(reply).toEqual({ Err: expect.stringMatching(/guestos-vsock-upgrade@/) });
  expect(await a.shell.ok("journalctl -b -q -o cat -t guestos-vsock-upgrade")).toMatch(/tried or refused before/);
  expect(await upgradeOf(a)).toMatchObject({ phase: "stable", next: "A" });
  await a.powerCut();
}

test("a B without libvirt is left by itself, once, and A says why", async () => {
  const host = await ready();
  await withPanicRetry(async () => assertLeavesB(host));
});

async function assertStaysOnA(host: Ready): Promise<void> {
  const name = `${NAME}-stays`;
  const a = await wentBack(name, host.guestless, /guest: the guest's virtual machine does not run/, host);
  // It does not run here either, and that is no reason to leave.
  const running = await a.shell.run("guestos-boot guest --json");
  expect(JSON.parse(running.stdout)).toMatchObject({ machine: { state: "absent" } });
  await a.shell.ok("systemctl start guestos-confirm.service guestos-go-back.service");
  expect(await a.shell.ok("systemctl show --property ConditionResult guestos-confirm.service guestos-go-back.service")).toBe(
    "ConditionResult=no\n\nConditionResult=no\n",
  );
  await a.shell.run("systemctl reboot");
  await untilRestart(a, BOOT_TIMEOUT);
  const again = await booted(name, diskOf(name));
  expect(await startedByGrub(again)).toBe("A (stable)");
  await again.powerCut();
}

test("where the guest fails on both, the host goes back once, and stays", async () => {
  const host = await ready();
  await withPanicRetry(async () => assertStaysOnA(host));
});
