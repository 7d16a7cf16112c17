import type { Host } from "./host.ts";

export interface UsbRequest {
  /** Of the virtual machine, as libvirt knows it. */
  readonly domain: string;
  /** Four hexadecimal digits each, as in lsusb(8). */
  readonly device: { readonly vendor: string; readonly product: string };
  /** Where to write the device's description: virsh opens a file, and no socket, which is what standard input is here. */
  readonly file: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Gives a USB device of this machine to a running virtual machine, or takes it back (virsh(1), attach-device and detach-device).
 *
 * @throws CommandError in libvirt's words: no such device, more than one of them, no such domain, attached already
 */
export async function moveUsbDevice(
  host: Host,
  verb: "attach" | "detach",
  { domain, device: { vendor, product }, file, timeout }: UsbRequest,
): Promise<void> {
  const source = `<source><vendor id='0x${vendor}'/><product id='0x${product}'/></source>`;
  await host.writeFile(file, `<hostdev mode='subsystem' type='usb' managed='yes'>${source}</hostdev>\n`, { mode: 0o600 });
  await host.run({
    program: "virsh",
    args: ["--connect", "qemu:///system", `${verb}-device`, domain, file, "--live"],
    timeout,
    todo: `check that the device is there (lsusb -d ${vendor}:${product}), and the machine runs (virsh list)`,
  });
}
