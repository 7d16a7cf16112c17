import { join } from "node:path";
import { refuseFindings } from "../base/finding.ts";
import { ProblemError } from "../base/problem.ts";
import { readHostosConfig } from "../config/hostos-config.ts";
import type { HostosConfig } from "../config/hostos-settings.ts";
import { deterministicMac, SYSTEM_INDEX } from "../config/values/deterministic-address.ts";
import type { Layout } from "../config/layout/layout.ts";
import { fileChunks } from "../system/files/file-chunks.ts";
import type { Host } from "../system/host.ts";
import type { Firmware, VirtualMachine } from "../system/hypervisor/virtual-machine.ts";
import { HUGE_PAGE, readHugePages } from "../system/huge-pages.ts";
import { guestSize } from "../config/guest-size.ts";
import type { GuestPlaces } from "./places.ts";
import type { ChosenSlot } from "./slot.ts";

/** libvirt's name and UUID of the guest (dfinity/ic, guest_vm_runner). */
export const GUEST = { name: "guestos", uuid: "fd897da5-8017-41c8-8575-a706dba30766" } as const;

/** The context id of the guest's vsock: always the same, so that the host knows who asks. 0 to 2 are taken (vsock(7)). */
const CID = 3;

/** KVM for processors of AMD, and its word on SEV-SNP: Y or N. */
const KVM_AMD = "/sys/module/kvm_amd";
const SEV_SNP = `${KVM_AMD}/parameters/sev_snp`;

/** What the host has, besides its configuration. */
export interface HostFacts {
  /** An image for development: its configuration says how large the guest is. */
  readonly isForDevelopment: boolean;
  /** Whether the processor can encrypt a guest's memory (AMD SEV-SNP), and the kernel lets it. */
  readonly encryption: "on" | "off" | "module not loaded";
  /** Bytes of huge pages that are free. */
  readonly hugePages: number;
  readonly diskIsBlock: boolean;
}

/**
 * The machine of the guest for that slot. The image with the guest's configuration is copied for it: libvirt gives the copy to the account of
 * the machine, and it is in a folder that this account reaches.
 *
 * @throws ProblemError for a configuration that no guest can be made of
 */
export async function guestMachine(host: Host, layout: Layout, places: GuestPlaces, slot: ChosenSlot): Promise<VirtualMachine> {
  const { config, file, findings } = await readHostosConfig(host, layout);
  refuseFindings(file, findings);
  const machine = describe(config, await factsOf(host, places), places, slot);
  if ((await host.stat(places.medium))?.kind !== "file")
    throw new ProblemError({
      code: "guest-medium-missing",
      what: "there is no image with the guest's configuration",
      where: { file: places.medium },
      todo: "see what became of the unit that builds it: guestos-boot why guest-medium",
    });
  const medium = join(places.folder, "config.img");
  await host.remove(medium);
  await host.writeStream(medium, fileChunks(host, places.medium), { mode: 0o600 });
  return { ...machine, medium };
}

async function factsOf(host: Host, places: GuestPlaces): Promise<HostFacts> {
  const [mark, module, sev, pages, disk] = await Promise.all([
    host.stat(places.developmentMark),
    host.stat(KVM_AMD),
    host.readText(SEV_SNP),
    readHugePages(host),
    host.stat(places.disk),
  ]);
  return {
    isForDevelopment: mark !== undefined,
    encryption: module === undefined ? "module not loaded" : sev?.trim() === "Y" ? "on" : "off",
    hugePages: pages === undefined ? 0 : pages.free * HUGE_PAGE,
    diskIsBlock: disk?.kind !== "file",
  };
}

/** The guest's machine, from the host's configuration and what the host has. @throws ProblemError */
export function describe(
  config: HostosConfig,
  facts: HostFacts,
  places: GuestPlaces,
  { kernel, initrd, cmdline }: ChosenSlot,
): VirtualMachine {
  const { mgmt_mac, deployment_environment: environment, enable_trusted_execution_environment: isTrusted } = config.icos_settings;
  if (mgmt_mac === null || environment === "unknown")
    throw new ProblemError({
      code: "guest-mac-not-known",
      what: "the MAC address of the guest cannot be computed",
      found: `mgmt_mac ${mgmt_mac ?? "null"}, deployment_environment ${environment}`,
      expected: "a MAC address, and mainnet or testnet",
    });
  // A guest whose memory was to be encrypted never runs in the clear.
  if (isTrusted && facts.encryption !== "on")
    throw new ProblemError({
      code: "memory-not-encrypted",
      what: "this machine cannot encrypt the memory of its guest",
      expected: "SEV-SNP, because enable_trusted_execution_environment is true",
      ...WITHOUT_ENCRYPTION[facts.encryption],
    });
  const size = guestSize(config, facts.isForDevelopment);
  return {
    ...GUEST,
    accelerated: size.accelerated,
    memory: size.memory,
    hugePages: size.wantsHugePages && facts.hugePages >= size.memory * 1024 * 1024,
    processors: size.processors,
    ...firmwareOf(isTrusted, size.accelerated, places),
    kernel,
    initrd,
    cmdline,
    disk: { path: places.disk, kind: facts.diskIsBlock ? "block" : "file" },
    network: { bridge: places.bridge, mac: deterministicMac(mgmt_mac, environment, SYSTEM_INDEX.default) },
    vsock: CID,
    serialLog: places.serialLog,
  };
}

/** What is found then, and what to do. Without the module, nothing is known of the firmware's settings. */
const WITHOUT_ENCRYPTION = {
  off: { found: `no SEV-SNP in the kernel (${SEV_SNP})`, todo: "switch SEV-SNP on in the firmware's settings" },
  "module not loaded": {
    found: `the module kvm_amd is not loaded (no ${KVM_AMD})`,
    todo: "see why: modprobe kvm_amd; dmesg | grep -i -e kvm -e svm",
  },
} as const;

/** UEFI takes minutes where it is emulated within an emulated host, and the guest's kernel needs none: such a machine has QEMU's own. */
function firmwareOf(isTrusted: boolean, accelerated: boolean, { firmware }: GuestPlaces): { readonly firmware?: Firmware } {
  if (isTrusted) return { firmware: { kind: "sev-snp", image: firmware.sev } };
  return accelerated ? { firmware: { kind: "uefi", image: firmware.image, variables: firmware.variables } } : {};
}
