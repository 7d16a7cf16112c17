import type { HostosConfig } from "./hostos-settings.ts";

/** How large the guest's machine is. */
export interface GuestSize {
  /** MiB. */
  readonly memory: number;
  readonly processors: number;
  /** Whether it runs on the host's own processor, and is not emulated. */
  readonly accelerated: boolean;
  /** Whether its memory is to be in huge pages. */
  readonly wantsHugePages: boolean;
}

const GIB = 1024;
/** Of a node in production: its machines have at least 512 GiB and 64 processors, and the host keeps some memory for itself. */
const PRODUCTION = { memory: 486 * GIB, processors: 64, accelerated: true } as const;

/** @param isForDevelopment whether the image is for development: then the configuration says it */
export function guestSize(
  { icos_settings: { enable_trusted_execution_environment: isTrusted }, hostos_settings: { hostos_dev_settings: dev } }: HostosConfig,
  isForDevelopment: boolean,
): GuestSize {
  const size = isForDevelopment
    ? { memory: dev.vm_memory * GIB, processors: dev.vm_nr_of_vcpus, accelerated: dev.vm_cpu === "kvm" }
    : PRODUCTION;
  // The firmware of an encrypted guest encrypts pages of 4 KiB one by one; an emulated one gains nothing.
  return { ...size, wantsHugePages: size.accelerated && !isTrusted };
}
