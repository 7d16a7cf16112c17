import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { domainXml } from "../../../../src/system/hypervisor/domain-xml.ts";
import type { VirtualMachine } from "../../../../src/system/hypervisor/virtual-machine.ts";
import { problemOf } from "../../../support/problem-of.ts";

const machine: VirtualMachine = {
  name: "guestos",
  uuid: "fd897da5-8017-41c8-8575-a706dba30766",
  accelerated: true,
  memory: 497_664,
  hugePages: true,
  processors: 64,
  firmware: { kind: "uefi", image: "/usr/share/OVMF/OVMF_CODE_4M.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.fd" },
  kernel: "/run/guestos-boot/guest/kernel",
  initrd: "/run/guestos-boot/guest/initrd",
  cmdline: "root=/dev/vda5 console=ttyS0 dfinity.system=A",
  disk: { path: "/dev/hostlvm/guestos", kind: "block" },
  medium: "/run/guestos-boot/guest-config.img",
  network: { bridge: "br6", mac: "6a:01:3c:81:5a:b4" },
  vsock: 3,
  serialLog: "/var/log/libvirt/qemu/guestos-serial.log",
};

const golden = (name: string): string => readFileSync(join(import.meta.dirname, `${name}.xml`), "utf8");

test("the machine of a node in production", () => {
  expect(domainXml(machine)).toBe(golden("production"));
});

test("the same with memory that the processor encrypts", () => {
  const { hugePages: _, ...rest } = machine;
  expect(domainXml({ ...rest, hugePages: false, firmware: { kind: "sev-snp", image: "/usr/share/ovmf/OVMF.amdsev.fd" } })).toBe(
    golden("sev-snp"),
  );
});

test("the least machine, emulated", () => {
  const { medium: _m, network: _n, vsock: _v, firmware: _f, ...least } = machine;
  const disk = { path: "/tmp/disk", kind: "file" } as const;
  expect(domainXml({ ...least, accelerated: false, memory: 16, hugePages: false, processors: 1, disk })).toBe(golden("least"));
});

test("a value stays a value, whatever is in it", () => {
  const value = fc.string({ unit: fc.constantFrom(..."<>&'\"\t\n\r ]]>-\\=a/é🙂") });
  fc.assert(
    fc.property(value, value, (cmdline, path) => {
      const xml = domainXml({ ...machine, cmdline, disk: { path, kind: "file" } });
      const text = /<cmdline>([^<]*)<\/cmdline>/.exec(xml)?.[1] ?? "no element";
      const attribute = /<source file="([^"<]*)"\/>\n {6}<target dev="vda"/.exec(xml)?.[1] ?? "no attribute";
      expect(decoded(text)).toBe(cmdline);
      expect(decoded(attribute)).toBe(path);
      expect(xml.match(/<[a-z_-]+/g)?.length).toBe(domainXml(machine).match(/<[a-z_-]+/g)?.length);
    }),
  );
});

function decoded(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string) =>
    code === undefined ? (named[name] ?? "?") : String.fromCodePoint(Number(code)),
  );
}

test.each(["\0", "\u001b[2J", "\ud800", "\ufffe"])("what no XML can hold is refused: %j", async (bad) => {
  expect(await problemOf(() => domainXml({ ...machine, cmdline: `a${bad}` }))).toMatchObject({ code: "not-for-xml" });
});
