import { type ProfileName, profileNames, profiles } from "../../src/profiles/profiles.ts";

/** What Debian is told of the package (deb-control(5)). */
export interface Control {
  readonly profile: ProfileName;
  readonly version: string;
  /** KiB. */
  readonly installedSize: number;
}

/** The project has no post office: who publishes packages puts an address of their own here. */
const MAINTAINER = "guestos-boot maintainers <guestos-boot@localhost.localdomain>";

/** Libraries that Node is linked to; then the tools that units of every profile run, and the services that etc/ has drop-ins for. */
const DEPENDS = [
  "libatomic1",
  "libc6 (>= 2.28)",
  "libgcc-s1",
  "libstdc++6 (>= 6)",
  "cryptsetup-bin",
  "dbus",
  "dmsetup",
  "dosfstools",
  "e2fsprogs",
  "fdisk",
  "initramfs-tools",
  "iproute2",
  "kmod",
  "libndp-tools",
  "nftables",
  "openssh-server",
  "openssl",
  "prometheus-node-exporter",
  "systemd (>= 252)",
  "udev",
  "zstd",
];

interface Differing {
  readonly depends: readonly string[];
  readonly recommends: readonly string[];
}

const DIFFERING: Readonly<Record<ProfileName, Differing>> = {
  guestos: { depends: ["bubblewrap", "lvm2", "xfsprogs"], recommends: ["socat", "systemd-journal-remote"] },
  boundary: { depends: ["dante-server", "nginx"], recommends: [] },
  hostos: { depends: ["libvirt-clients", "lvm2", "mtools", "ovmf", "qemu-system-x86"], recommends: ["libvirt-daemon-system"] },
  setupos: {
    depends: ["chrony", "curl", "ethtool", "iputils-ping", "lshw", "lvm2", "mdadm", "smartmontools"],
    recommends: ["efibootmgr", "ipmitool"],
  },
};

/** One package for each profile: no image can have two. */
export function packageName(profile: ProfileName): string {
  return profile === "guestos" ? "guestos-boot" : `guestos-boot-${profile}`;
}

export function controlFile({ profile, version, installedSize }: Control): string {
  const { depends, recommends } = DIFFERING[profile];
  const others = profileNames.filter((name) => name !== profile).map(packageName);
  return `Package: ${packageName(profile)}
Version: ${version}
Architecture: amd64
Maintainer: ${MAINTAINER}
Installed-Size: ${installedSize}
Depends: ${[...DEPENDS, ...depends].toSorted().join(", ")}
Recommends: ${[...recommends, "libnss-myhostname", "sudo", "systemd-resolved"].join(", ")}
Conflicts: ${others.join(", ")}
Replaces: lvm2, nftables
Section: admin
Priority: optional
Description: boot orchestrator of ${profiles[profile].title}
 Brings a GuestOS from a blank disk to a running node, and keeps it running:
 injected configuration, keys, encrypted volumes, network, packet filter, and
 two systems of which one is upgraded while the other one runs.
 .
 This is for images of virtual machines that are nothing but such a node. It
 replaces the machine's rules for volumes, network and logins, and takes over
 at the next boot. Do not install it on a computer that is anything else.
`;
}

/** Those that the boot begins with. The others are started by these, or over the bus. */
const ENABLED = [
  ...["guestos-boot.service", "guestos-boot.target", "guestos-monitor.service", "guestos-trial.timer"],
  "guestos-boot-failure.timer",
];

/** Nothing is started: it is a boot chain, and begins with a boot. As debhelper does it (dh_installsystemd --no-start, dh_installsysusers). */
export const postinst = `#!/bin/sh
set -e

if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || [ "$1" = abort-deconfigure ] || [ "$1" = abort-remove ]; then
  systemd-sysusers \${DPKG_ROOT:+--root="$DPKG_ROOT"} 00-guestos.conf
  for unit in ${ENABLED.join(" ")}; do
    deb-systemd-helper unmask "$unit" >/dev/null || true
    # Once: what an operator disables stays so through upgrades.
    if deb-systemd-helper --quiet was-enabled "$unit"; then
      deb-systemd-helper enable "$unit" >/dev/null || true
    else
      deb-systemd-helper update-state "$unit" >/dev/null || true
    fi
  done
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
  fi
fi
`;

export const postrm = `#!/bin/sh
set -e

if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
  deb-systemd-helper purge ${ENABLED.join(" ")} >/dev/null || true
fi
`;

/** The initramfs has our hook and scripts in it, or is rid of them. */
export const triggers = "activate-noawait update-initramfs\n";

/** changelog(5), from what CHANGELOG.md says of the newest release. */
export function changelog(name: string, markdown: string, version: string, date: number): string {
  const [, newest = ""] = markdown.split(/^## .*$/m);
  const entries = newest
    .split(/^- /m)
    .map((text) =>
      text
        .replaceAll(/\s*\n\s*/g, " ")
        .replaceAll("`", "")
        .trim(),
    )
    .filter((text) => text !== "")
    .map((text) => folded(text));
  const time = new Date(date * 1000).toUTCString().replace("GMT", "+0000");
  return `${name} (${version}) unstable; urgency=medium\n\n${entries.join("\n")}\n\n -- ${MAINTAINER}  ${time}\n`;
}

/** Below 80 columns, behind an asterisk. */
function folded(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length > 74) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, index) => `${index === 0 ? "  * " : "    "}${line}`).join("\n");
}
