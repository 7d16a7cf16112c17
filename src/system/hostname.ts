import type { Host } from "./host.ts";

/** The kernel's host name, read without starting a process. It is that of the reader's UTS namespace (uts_namespaces(7)). */
const KERNEL_HOSTNAME = "/proc/sys/kernel/hostname";

/** The kernel's current host name; "(none)" or "localhost" before one was set. */
export async function kernelHostname(host: Host): Promise<string> {
  return ((await host.readText(KERNEL_HOSTNAME)) ?? "").trimEnd();
}

/** Sets the kernel's host name: at most 64 bytes, because the rest would be cut off silently (sethostname(2), HOST_NAME_MAX). */
export async function setKernelHostname(host: Host, name: string): Promise<void> {
  await host.writeInPlace(KERNEL_HOSTNAME, name);
}
