import { ProblemError } from "../../base/problem.ts";
import type { Firmware, VirtualMachine } from "./virtual-machine.ts";

/**
 * A virtual machine in libvirt's language (libvirt.org/formatdomain.html). Devices and their addresses are those of IC-OS (dfinity/ic,
 * guest_vm_runner/templates), because the guest's names for them follow from the addresses. The same machine gives the same text.
 *
 * The machine is destroyed on a reboot too: libvirt would start it again with the same kernel, and not with that of the slot it chose.
 *
 * @throws ProblemError for a text that XML cannot hold, such as a control character
 */
export function domainXml(machine: VirtualMachine): string {
  const { accelerated, hugePages, firmware, disk, medium, network, vsock } = machine;
  return text(
    element("domain", { type: accelerated ? "kvm" : "qemu" }, [
      element("name", {}, machine.name),
      element("uuid", {}, machine.uuid),
      element("memory", { unit: "MiB" }, String(machine.memory)),
      ...(hugePages ? [element("memoryBacking", {}, [element("hugepages")])] : []),
      element("vcpu", { placement: "static" }, String(machine.processors)),
      element("os", {}, [
        element("type", { arch: "x86_64", machine: "q35" }, "hvm"),
        ...firmwareElements(firmware),
        element("kernel", {}, machine.kernel),
        element("initrd", {}, machine.initrd),
        element("cmdline", {}, machine.cmdline),
      ]),
      element("features", {}, [element("acpi"), element("apic")]),
      ...processor(machine),
      element("clock", { offset: "utc" }, [
        element("timer", { name: "rtc", tickpolicy: "catchup" }),
        element("timer", { name: "pit", tickpolicy: "delay" }),
        element("timer", { name: "hpet", present: "no" }),
      ]),
      ...["on_poweroff", "on_reboot", "on_crash"].map((event) => element(event, {}, "destroy")),
      element("pm", {}, [element("suspend-to-mem", { enabled: "no" }), element("suspend-to-disk", { enabled: "no" })]),
      element("devices", {}, [
        element("emulator", {}, "/usr/bin/qemu-system-x86_64"),
        element("disk", { type: disk.kind, device: "disk" }, [
          element("driver", { name: "qemu", type: "raw", cache: "none", discard: "unmap" }),
          element("source", { [disk.kind === "block" ? "dev" : "file"]: disk.path }),
          element("target", { dev: "vda", bus: "virtio" }),
          onBus(4),
        ]),
        ...(medium === undefined
          ? []
          : [
              element("disk", { type: "file", device: "disk" }, [
                element("driver", { name: "qemu", type: "raw" }),
                element("source", { file: medium }),
                element("target", { dev: "sda", bus: "usb", removable: "on" }),
                element("readonly"),
              ]),
            ]),
        element("controller", { type: "usb", index: "0", model: "qemu-xhci" }),
        ...(network === undefined
          ? []
          : [
              element("interface", { type: "bridge" }, [
                element("mac", { address: network.mac }),
                element("source", { bridge: network.bridge }),
                element("model", { type: "virtio" }),
                onBus(1),
              ]),
            ]),
        element("serial", { type: "pty" }, [
          element("target", { type: "isa-serial", port: "0" }),
          element("log", { file: machine.serialLog, append: "off" }),
        ]),
        element("console", { type: "pty" }, [element("target", { type: "serial", port: "0" })]),
        ...(vsock === undefined ? [] : [element("vsock", { model: "virtio" }, [element("cid", { auto: "no", address: String(vsock) })])]),
        element("memballoon", { model: "virtio" }, [onBus(5)]),
        element("rng", { model: "virtio" }, [element("backend", { model: "random" }, "/dev/urandom"), onBus(6)]),
      ]),
      ...(firmware?.kind === "sev-snp"
        ? [element("launchSecurity", { type: "sev-snp", kernelHashes: "yes" }, [element("policy", {}, "0x30000")])]
        : []),
    ]),
  );
}

function firmwareElements(firmware: Firmware | undefined): readonly Element[] {
  switch (firmware?.kind) {
    case undefined:
      return [];
    case "uefi":
      return [
        element("loader", { readonly: "yes", type: "pflash" }, firmware.image),
        // libvirt makes a copy for the machine.
        element("nvram", { template: firmware.variables }),
      ];
    case "sev-snp":
      return [element("loader", { type: "rom" }, firmware.image)];
  }
}

/** Two threads on each core, and the cores in two packages, where the number allows it: as the machines of a node have them. */
function processor({ accelerated, firmware, processors }: VirtualMachine): readonly Element[] {
  if (!accelerated) return [];
  if (firmware?.kind === "sev-snp") return [element("cpu", { mode: "custom", match: "exact" }, [element("model", {}, "EPYC-v4")])];
  const isEven = processors % 4 === 0;
  return [
    element("cpu", { mode: "host-passthrough", migratable: "off" }, [
      element("cache", { mode: "passthrough" }),
      ...(isEven ? [element("topology", { sockets: "2", cores: String(processors / 4), threads: "2" })] : []),
    ]),
  ];
}

function onBus(bus: number): Element {
  return element("address", { type: "pci", domain: "0x0000", bus: `0x0${bus}`, slot: "0x00", function: "0x0" });
}

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: string | readonly Element[];
}

function element(tag: string, attributes: Element["attributes"] = {}, content: Element["content"] = []): Element {
  return { tag, attributes, content };
}

function text({ tag, attributes, content }: Element, indent = ""): string {
  const named = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const start = `${indent}<${tag}${named.join("")}`;
  if (typeof content === "string") return `${start}>${escaped(content)}</${tag}>\n`;
  if (content.length === 0) return `${start}/>\n`;
  return `${start}>\n${content.map((child) => text(child, `${indent}  `)).join("")}${indent}</${tag}>\n`;
}

/** What has a meaning of its own in a text or an attribute (XML 1.0, 2.4, 3.3.3): blanks in an attribute become plain ones otherwise. */
const SPECIAL: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};
/** What no XML can hold, not even as a reference (XML 1.0, 2.2). */
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

function escaped(value: string): string {
  if (NOT_XML.test(value))
    throw new ProblemError({
      code: "not-for-xml",
      what: "a value of the virtual machine cannot be told to libvirt",
      found: JSON.stringify(value.slice(0, 200)),
      expected: "a text without control characters",
    });
  return value.replaceAll(/[&<>"\t\n\r]/g, (character) => SPECIAL[character] ?? character);
}
