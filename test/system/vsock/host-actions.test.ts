import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { hostActions } from "../../../src/vsock/host-actions.ts";
import { type FakeHost, fakeHost } from "../../support/fake-host.ts";
import { systemdOfTests } from "../../support/systemd-of-tests.ts";

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

test("a notice and the VM of an upgrade are services too, started again for each request", async () => {
  const host = fakeHost();
  for (const name of ["guestos-vsock-notice.service", "upgrade-guestos.service"]) set(name);
  const actions = hostActions(host, guestosLayout);
  await actions.show({ count: 2, message: 'a "notice"' });
  await actions.startUpgradeVm();
  expect(tested.systemd.jobs).toEqual(["RestartUnit guestos-vsock-notice.service", "RestartUnit upgrade-guestos.service"]);
  expect(host.files.get(`${HANDED_OVER}/notice.json`)).toBe('{"count":2,"message":"a \\"notice\\""}');
});

const VIRSH = (verb: string): string => `virsh --connect qemu:///system ${verb}-device guestos ${HANDED_OVER}/hsm.xml --live`;

test.each(["attach", "detach"] as const)("%s-hsm moves the one device, by its numbers", async (verb) => {
  const host = fakeHost({ commands: { [VIRSH(verb)]: "Device done\n" } });
  await hostActions(host, guestosLayout).hsm(verb);
  expect(host.effects.at(-1)).toBe(`run ${VIRSH(verb)}`);
  expect(host.files.get(`${HANDED_OVER}/hsm.xml`)).toContain("<vendor id='0x20a0'/><product id='0x4230'/>");
});

test("libvirt's own words are told", async () => {
  const stderr = "error: Failed to attach device\nerror: operation failed: Did not find USB device 20a0:4230\n";
  const host: FakeHost = fakeHost({ commands: { [VIRSH("attach")]: { status: 1, stderr } } });
  await expect(hostActions(host, guestosLayout).hsm("attach")).rejects.toThrow("Did not find USB device 20a0:4230");
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
