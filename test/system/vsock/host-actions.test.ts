import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { type Host, systemHost } from "../../../src/system/host.ts";
import { handedOverFiles, hostActions } from "../../../src/vsock/host-actions.ts";
import { Notice } from "../../../src/vsock/protocol.ts";
import { type FakeHost, fakeHost } from "../../support/fake-host.ts";
import { systemdOfTests } from "../../support/systemd-of-tests.ts";
import { testLayout } from "../../support/test-layout.ts";

/** What is handed over to systemd and to virsh. */

const HASH = "ab".repeat(32);
const UPGRADE = `guestos-vsock-upgrade@${HASH}.service`;
const HANDED_OVER = "/run/guestos-boot/vsock";
const request = { url: "https://example.org/update.tar.zst?a=b&c=d", "target-hash": HASH };

/** A oneshot service is inactive when it has done its work. */
const DONE = { active: "inactive", sub: "dead" };
const tested = systemdOfTests([]);
const { set } = tested;

test("an upgrade is a service of its own, with the address in a file that is gone afterwards", async () => {
  const host = fakeHost();
  let seen: unknown;
  set(UPGRADE, { then: DONE, work: async () => (seen = host.files.get(`${HANDED_OVER}/upgrade-${HASH}`)) });
  await hostActions(host, guestosLayout).upgrade(request);
  expect(tested.systemd.jobs).toEqual([`StartUnit ${UPGRADE}`]);
  expect(String(seen).split("\n")).toContain('URL="https://example.org/update.tar.zst?a=b&c=d"');
  expect([...host.files.keys()]).toEqual([]);
});

test.each([
  ["fails", { result: "failed" }, /it failed/],
  ["does not exist on this system", undefined, /no unit of that name/],
] as const)("an upgrade that %s is told so, and leaves nothing", async (_, changed, why) => {
  if (changed !== undefined) set(UPGRADE, changed);
  const host = fakeHost({
    commands: { [`journalctl --boot --unit=${UPGRADE} --lines=5 --output=cat --quiet --no-pager`]: "guestos-boot: no slot\n" },
  });
  await expect(hostActions(host, guestosLayout).upgrade(request)).rejects.toThrow(why);
  expect([...host.files.keys()]).toEqual([]);
});

test("a notice is a service too, started again for each request", async () => {
  const host = fakeHost();
  set("guestos-vsock-notice.service");
  await hostActions(host, guestosLayout).show({ count: 2, message: 'a "notice"' });
  expect(tested.systemd.jobs).toEqual(["RestartUnit guestos-vsock-notice.service"]);
  expect(host.files.get(`${HANDED_OVER}/notice.json`)).toBe('{"count":2,"message":"a \\"notice\\""}');
});

test("requests of the same moment do not meet: of four notices, and of four upgrades, each is whole and has its answer", async () => {
  const layout = testLayout(mkdtempSync(join(tmpdir(), "guestos-boot-vsock-")), guestosLayout);
  const { folder, notice } = handedOverFiles(layout);
  const messages = ["a", "b", "c", "d"].map((letter) => letter.repeat(1000));
  const seen: unknown[] = [];
  set("guestos-vsock-notice.service", { work: async () => seen.push(Notice.parse(JSON.parse(readFileSync(notice, "utf8")))) });
  set(UPGRADE, { then: DONE });
  const each = messages.map(() => hostActions(systemHost(), layout));
  const all = await Promise.allSettled([
    ...each.map(async (actions, index) => actions.show({ count: 1, message: messages[index] ?? "" })),
    ...each.map(async (actions) => actions.upgrade(request)),
  ]);
  expect(all.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []))).toEqual([]);
  expect(seen.length).toBeGreaterThan(0);
  expect(readdirSync(folder)).toEqual(["notice.json"]);
});

const VIRSH = (verb: string): string => `virsh --connect qemu:///system ${verb}-device guestos ${HANDED_OVER}/hsm-own.xml --live`;

test.each(["attach", "detach"] as const)("%s-hsm moves the one device, by its numbers", async (verb) => {
  const host = fakeHost({ commands: { [VIRSH(verb)]: "Device done\n" } });
  let described = "";
  const run: Host["run"] = async (command) => {
    described = String(host.files.get(`${HANDED_OVER}/hsm-own.xml`));
    return host.run(command);
  };
  await hostActions({ ...host, run }, guestosLayout, () => "own").hsm(verb);
  expect(host.effects).toContain(`run ${VIRSH(verb)}`);
  expect(described).toContain("<vendor id='0x20a0'/><product id='0x4230'/>");
  expect([...host.files.keys()]).toEqual([]);
});

test("libvirt's own words are told", async () => {
  const stderr = "error: Failed to attach device\nerror: operation failed: Did not find USB device 20a0:4230\n";
  const host: FakeHost = fakeHost({ commands: { [VIRSH("attach")]: { status: 1, stderr } } });
  await expect(hostActions(host, guestosLayout, () => "own").hsm("attach")).rejects.toThrow("Did not find USB device 20a0:4230");
});

test.each([
  ["2026-11-30_base\n", "2026-11-30_base"],
  ["  7b4c1d6e  ", "7b4c1d6e"],
] as const)("the version is the one word of its file: %j", async (content, version) => {
  const host = fakeHost({ files: { "/opt/ic/share/version.txt": content } });
  expect(await hostActions(host, guestosLayout).version()).toBe(version);
});

test.each([undefined, "", "two words", "\u001b[2J", "x".repeat(129), "x".repeat(1_000_000)])("%j is no version", async (content) => {
  const host = fakeHost(content === undefined ? {} : { files: { "/opt/ic/share/version.txt": content } });
  await expect(hostActions(host, guestosLayout).version()).rejects.toThrow(/the version of this host is not known/);
});
