import type { VirtualMachine } from "./virtual-machine.ts";

/** The files by which a machine that runs without libvirt is found again. */
export interface QemuFiles {
  readonly pid: string;
  /** The monitor for commands, and one for those who wait: a monitor serves one client at a time. */
  readonly monitor: string;
  readonly events: string;
  /** The machine's own copy of its firmware's variables. */
  readonly variables: string;
}

/**
 * The machine as arguments of qemu-system-x86_64(1). QEMU goes into the background once the machine runs, and ends with a reboot, as with a
 * power-off: whoever starts it again chooses the kernel again.
 */
export function qemuArguments(machine: VirtualMachine, files: QemuFiles): readonly string[] {
  const { accelerated, hugePages, memory, firmware, medium, network, vsock } = machine;
  const memoryBackend = `memory-backend-${hugePages ? "file,mem-path=/dev/hugepages,prealloc=on" : "ram"},id=ram,size=${memory}M`;
  return [
    ...["-name", `guest=${machine.name}`, "-uuid", machine.uuid],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-daemonize", "-pidfile", files.pid],
    ...["-machine", `q35,accel=${accelerated ? "kvm" : "tcg"},memory-backend=ram${sevOf(machine)}`, "-object", memoryBackend],
    ...[
      "-m",
      `${memory}M`,
      "-smp",
      String(machine.processors),
      "-cpu",
      accelerated ? (firmware?.kind === "sev-snp" ? "EPYC-v4" : "host") : "max",
    ],
    ...(firmware?.kind === "uefi"
      ? [
          ...["-drive", drive("if=pflash,format=raw,unit=0,readonly=on", firmware.image)],
          ...["-drive", drive("if=pflash,format=raw,unit=1", files.variables)],
        ]
      : []),
    ...(firmware?.kind === "sev-snp" ? ["-bios", firmware.image, "-object", SEV_OBJECT] : []),
    ...["-kernel", machine.kernel, "-initrd", machine.initrd, "-append", machine.cmdline],
    ...["-drive", drive(`if=none,id=disk,format=raw,discard=unmap`, machine.disk.path), "-device", "virtio-blk-pci,drive=disk"],
    ...(medium === undefined
      ? []
      : [
          ...["-device", "qemu-xhci", "-drive", drive("if=none,id=medium,format=raw,readonly=on", medium)],
          ...["-device", "usb-storage,drive=medium,removable=on"],
        ]),
    ...(network === undefined
      ? []
      : ["-netdev", `bridge,id=net,br=${network.bridge}`, "-device", `virtio-net-pci,netdev=net,mac=${network.mac}`]),
    ...(vsock === undefined ? [] : ["-device", `vhost-vsock-pci,guest-cid=${vsock}`]),
    ...["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng", "-device", "pvpanic"],
    ...["-chardev", `file,id=serial,path=${comma(machine.serialLog)}`, "-serial", "chardev:serial"],
    ...[files.monitor, files.events].flatMap((path) => ["-qmp", `unix:${comma(path)},server=on,wait=off`]),
  ];
}

/** Bits of the policy: debugging is off, several threads on a core are allowed (dfinity/ic); where the encryption bit is, is the processor's. */
const SEV_OBJECT = "sev-snp-guest,id=sev,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on";

function sevOf({ firmware }: VirtualMachine): string {
  return firmware?.kind === "sev-snp" ? ",confidential-guest-support=sev" : "";
}

function drive(options: string, file: string): string {
  return `${options},file=${comma(file)}`;
}

/** In a value, QEMU reads two commas as one. */
function comma(value: string): string {
  return value.replaceAll(",", ",,");
}
