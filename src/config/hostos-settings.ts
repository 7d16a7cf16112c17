import * as z from "../base/schema.ts";
import { ConfigVersion, GuestosSettings, IcosSettings, NetworkSettings } from "./guestos-settings.ts";
import { flag, matching, section, setting, whole } from "./text/json-settings.ts";

/** What the guest's VM gets in an image for development. */
const HostosDevSettings = section({
  /** GiB. */
  vm_memory: setting("a whole number of GiB from 1 to 65536", whole(1, 65_536), 16),
  vm_cpu: setting('"kvm" or "qemu"', matching(/^(?:kvm|qemu)$/), "kvm"),
  vm_nr_of_vcpus: setting("a whole number from 1 to 4096", whole(1, 4096), 16),
});

const HostosSettings = section({
  verbose: setting("true or false", flag, false),
  hostos_dev_settings: z.prefault(HostosDevSettings, {}),
  // Removed, and never used again.
  vm_memory: z.optional(z.unknown()),
  vm_cpu: z.optional(z.unknown()),
  vm_nr_of_vcpus: z.optional(z.unknown()),
});

/** config.json of a HostOS: HostOSConfig of dfinity/ic (rs/ic_os/config/types), versions 1.0 to 1.17, read as `GuestosConfig` is. */
export const HostosConfig = section({
  config_version: ConfigVersion,
  network_settings: z.prefault(NetworkSettings, {}),
  icos_settings: z.prefault(IcosSettings, {}),
  hostos_settings: z.prefault(HostosSettings, {}),
  guestos_settings: z.prefault(GuestosSettings, {}),
  /** Of SetupOSConfig, which is the same with this member. */
  setupos_settings: z.optional(z.unknown()),
});
export type HostosConfig = z.infer<typeof HostosConfig>;
