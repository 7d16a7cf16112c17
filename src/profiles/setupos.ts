import { join } from "node:path";
import { configFiles, guestosLayout } from "../config/layout/layout.ts";
import type { Profile } from "./profile.ts";

const run = "/run/guestos-boot";
const data = "/data";

/** The stick that installs a HostOS and its GuestOS on a machine. */
export const setupos: Profile = {
  title: "a SetupOS",
  layout: {
    ...guestosLayout,
    // It keeps nothing of its own: what it knows of an installation is on the drives.
    config: configFiles(`${run}/config`),
    hostosConfig: `${run}/node-config.json`,
    stick: {
      config: { partition: "config", mountPoint: "/config" },
      data: { partition: "data", mountPoint: data },
      images: join(data, "images.json"),
      archives: { hostos: join(data, "host-os.img.tar.zst"), guestos: join(data, "guest-os.img.tar.zst") },
      builtAt: "/commit-time",
      electedVersion: "/opt/ic/bin/check-elected-version",
      proven: `${run}/proven.json`,
      progress: `${run}/progress`,
      hostConfig: `${run}/host-config`,
      log: "/config/installation.txt",
    },
    volumes: [],
    medium: { ...guestosLayout.medium, guestosConfig: undefined },
  },
  chain: async () => [
    (await import("../units/services/system-bus.ts")).systemBus,
    (await import("../units/installer/check-age.ts")).checkAge,
    (await import("../units/installer/mount-stick.ts")).mountStick,
    (await import("../units/installer/check-config.ts")).checkConfig,
    (await import("../units/installer/check-hardware.ts")).checkHardware,
    (await import("../units/installer/check-network.ts")).checkNetwork,
    (await import("../units/installer/check-time.ts")).checkTime,
    (await import("../units/installer/check-nns.ts")).checkNns,
    (await import("../units/installer/check-elected-version.ts")).checkElectedVersion,
    (await import("../units/installer/check-images.ts")).checkImages,
    (await import("../units/installer/check-hsm.ts")).checkHsm,
    (await import("../units/installer/setup-disk.ts")).setupDisk,
    (await import("../units/installer/install-hostos.ts")).installHostos,
    (await import("../units/installer/install-guestos.ts")).installGuestos,
    (await import("../units/installer/setup-hostos-config.ts")).setupHostosConfig,
    (await import("../units/installer/setup-boot-loader.ts")).setupBootLoader,
  ],
  // Its configuration is on the stick.
  medium: async () => ({
    ...{ configFiles: new Map(), dataFiles: new Map(), trees: [], mounted: new Map() },
    ...{ home: ({ mountPoints }) => mountPoints.config, owner: "root", isSecret: () => true },
  }),
  maintenance: async () => [],
  watchers: async () => [],
  atIntervals: [],
  health: async () => [],
  quick: async () => [],
};
