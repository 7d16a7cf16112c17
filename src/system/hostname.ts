import type { Host } from "./host.ts";

/** The kernel's own host name, without a fork. uts_namespaces(7): it is that of the namespace of whoever asks. */
const KERNEL_HOSTNAME = "/proc/sys/kernel/hostname";

/** The host name that the kernel holds now; "(none)" or "localhost" before anybody has set one. */
export async function kernelHostname(host: Host): Promise<string> {
  return ((await host.readText(KERNEL_HOSTNAME)) ?? "").trimEnd();
}

/** Sets the kernel's host name: at most 64 bytes, the rest would be cut off in silence (sethostname(2), HOST_NAME_MAX). */
export async function setKernelHostname(host: Host, name: string): Promise<void> {
  await host.writeInPlace(KERNEL_HOSTNAME, name);
}
