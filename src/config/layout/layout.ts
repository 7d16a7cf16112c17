import { join } from "node:path";

/**
 * The paths, names and sizes of a GuestOS: the interface that hosts, images and operators rely on. Fixed paths come from here, so that
 * tests can move the whole tree. Three kinds are elsewhere. Interfaces of the kernel, of udev and of systemd are constants of the file in
 * src/system that reads them. Programs are named by the unit that runs them. The paths that a unit `owns` are text for people and for
 * `verify`.
 */
export type Layout = Frozen<typeof defaultLayout>;

/** Readonly at each depth. */
type Frozen<T> = T extends (...given: never) => unknown ? T : { readonly [K in keyof T]: Frozen<T[K]> };

export type Slot = "A" | "B";

/** Places of an installer, on its stick and below /run. */
export interface StickLayout {
  /** GPT names of its partitions, and where they are mounted. */
  readonly config: { readonly partition: string; readonly mountPoint: string };
  readonly data: { readonly partition: string; readonly mountPoint: string };
  /** What the archives with the disks of HostOS and GuestOS hold (src/setupos/images.ts). */
  readonly images: string;
  readonly archives: { readonly hostos: string; readonly guestos: string };
  /** The time of the build's commit: seconds since 1970. */
  readonly builtAt: string;
  /** A program of the image, which says whether the network has elected a version (src/system/elected-version.ts). */
  readonly electedVersion: string;
  /** Archives that were read and are whole, in this boot. */
  readonly proven: string;
  /** A file for each unit that moves many bytes, with how far it is. */
  readonly progress: string;
  /** Where the volume with the host's configuration is mounted while it is written. */
  readonly hostConfig: string;
  /** What is left on the stick about an installation, for any computer to read. */
  readonly log: string;
}

export interface VolumeLayout {
  readonly name: string;
  readonly fileSystem: "ext4" | "xfs" | "swap";
  readonly mountPoint?: string;
  readonly size: VolumeSize;
}

/** A share of the volume group, within bounds. In bytes. */
export interface VolumeSize {
  readonly least: number;
  /** One part of so many, or several: "1/16". */
  readonly share: string;
  /** Absent: no limit beyond its share. */
  readonly most?: number;
}

/** The size of a volume, for a volume group of that many bytes. */
export function volumeBytes({ least, share, most }: VolumeSize, groupBytes: number): number {
  const [parts = 0, of = 1] = share.split("/").map(Number);
  return Math.min(most ?? Infinity, Math.max(least, (groupBytes * parts) / of));
}

/** The names of the two slots' partitions from one pattern: `{slot}_boot` is A_boot and B_boot. */
export function inSlot(pattern: string): (slot: Slot) => string {
  return (slot) => pattern.replaceAll(SLOT, slot);
}

/** The placeholder for the slot's letter. */
export const SLOT = "{slot}";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** The file in which an image names its profile: one word. The layout follows from it. */
export const PROFILE_FILE = "/etc/guestos-boot/profile";

const config = "/boot/config";
const state = "/var/lib/ic";
const run = "/run/guestos-boot";

/** For small (lab) disks: shares of the group, and a minimum below which the file system could not be made (mkfs.xfs requires 300 MiB). */
const volumes: readonly VolumeLayout[] = [
  { name: "shared-crypto", fileSystem: "ext4", mountPoint: join(state, "crypto"), size: { least: 64 * MIB, share: "1/16", most: GIB } },
  { name: "shared-swap", fileSystem: "swap", size: { least: 32 * MIB, share: "1/7", most: 64 * GIB } },
  {
    name: "shared-backup",
    fileSystem: "ext4",
    mountPoint: join(state, "backup"),
    size: { least: 64 * MIB, share: "1/4", most: 180 * GIB },
  },
  { name: "shared-data", fileSystem: "xfs", mountPoint: join(state, "data"), size: { least: 320 * MIB, share: "1/4" } },
];

const defaultLayout = {
  /** GPT partition names. */
  partitions: {
    esp: "esp",
    grub: "grub",
    config: "config",
    store: "store",
    boot: inSlot("{slot}_boot"),
    root: inSlot("{slot}_root"),
    var: inSlot("{slot}_var"),
  },
  mountPoints: {
    boot: "/boot",
    efi: "/boot/efi",
    grub: "/boot/grub",
    /** The config partition: small, plain text, synchronous, survives upgrades. */
    config,
    var: "/var",
    data: join(state, "data"),
    crypto: join(state, "crypto"),
    backup: join(state, "backup"),
  },
  config: configFiles(config),
  /** config.json as it is in force in this boot, where the host hands one over. On a tmpfs. */
  guestosConfig: "/run/config/config.json",
  /** config.json of a HostOS, which the installer writes: the configuration of all its units. Other systems have none. */
  hostosConfig: undefined as string | undefined,
  /** The bridge that has the addresses of a HostOS, and that its guest is on. Other systems have theirs on the network card. */
  bridge: undefined as string | undefined,
  /** An installer's: its own medium, and what it keeps while it works. Other systems have none. */
  stick: undefined as StickLayout | undefined,
  /** The network's public key: that of the image, and that in force in this boot. */
  networkKey: { ofImage: "/opt/ic/share/nns_public_key.pem", inForce: "/run/config/nns_public_key.pem" },
  /** A folder with one file, whose name is the type of this VM: for the conditions of services. */
  guestVmType: "/run/config/guest_vm_type",
  /** The orchestrator's configuration, and the template of an image that has one. */
  icConfig: { template: "/opt/ic/share/ic.json5.template", file: "/run/ic-node/config/ic.json5" },
  /** From the medium: the key that identifies the node's operator to the network. */
  operatorKey: join(state, "data", "node_operator_private_key.pem"),
  /** GRUB's environment block: it holds the slot that is booted next. */
  grubenv: "/boot/grub/grubenv",
  /** Public keys (*.pem) whose owners may sign upgrade images. */
  upgradeKeys: "/etc/guestos-boot/keys",
  /** Device-mapper names of the two encrypted devices. The store's contains the partition's name, as existing nodes have it. */
  mappings: { store: (partition: string): string => `${partition}-crypt`, var: "var_crypt" },
  volumeGroup: "store",
  volumes,
  /** Node-specific files below /etc, on a tmpfs and bind-mounted into place: the root is read-only. */
  runtimeEtc: { hostname: "/run/ic-node/etc/hostname", ssh: "/run/ic-node/etc/ssh", nodeExporter: "/run/ic-node/etc/node_exporter" },
  /** One authorized_keys file for each account, at the path of the image's sshd: AuthorizedKeysFile /run/ic-node/ssh/authorized_keys/%u. */
  accountKeysRuntime: "/run/ic-node/ssh/authorized_keys",
  /** The folder of the running program's own state. It does not survive the boot. */
  run,
  runFiles: runFiles(run),
  /** Records of past boots. */
  records: "/var/lib/guestos-boot/boots",
  etc: {
    folder: "/etc",
    ssh: "/etc/ssh",
    nodeExporter: "/etc/node_exporter",
    hostname: "/etc/hostname",
    machineId: "/etc/machine-id",
    /** Executables that must all succeed before a new system is confirmed. */
    healthChecks: "/etc/guestos-boot/health.d",
    /** Exists in an image for development alone. */
    developmentMark: "/etc/allow_console_root",
    ...ownFiles("/etc/guestos-boot"),
  },
  networkd: "/run/systemd/network",
  /** The drop-in with the address to which the journal is shipped (journal-upload.conf(5)). */
  journalUpload: "/run/systemd/journal-upload.conf.d/10-guestos-boot.conf",
  /**
   * The certificates by which the shipper of the journal recognises its receiver, and its own key and certificate (systemd's own paths, and
   * Debian's store).
   */
  journalUploadTls: {
    trusted: ["/etc/ssl/ca/trusted.pem", "/etc/ssl/certs/ca-certificates.crt"],
    key: "/etc/ssl/private/journal-upload.pem",
    certificate: "/etc/ssl/certs/journal-upload.pem",
  },
  /** The configuration of Filebeat, where an image has it (etc/guestos/systemd/system/filebeat.service.d). */
  filebeat: "/run/ic-node/filebeat/filebeat.yml",
  /** The folder of nginx's files, on a tmpfs: nginx.conf, and beside it the certificate and key that it names. */
  nginx: "/run/ic-node/etc/nginx",
  /** danted's configuration (danted.conf(5)). */
  danted: "/run/ic-node/etc/danted.conf",
  /** The folder of the services' environment files, one for each service (systemd.exec(5), EnvironmentFile=). */
  environments: "/run/ic-node/etc/default",
  /** The node's own programs that an image may have (etc/boundary). */
  programs: {
    boundaryNodeControlPlane: "/opt/ic/bin/boundary-node-control-plane",
    icRouterControlPlaneWatcher: "/opt/ic/bin/ic-router-control-plane-watcher",
    icxProxy: "/usr/bin/icx-proxy",
  },
  /** Searched in this order; the first that exists is the ruleset: the orchestrator's, the injected one, the image's. */
  rulesets: ["/run/ic-node/nftables-ruleset/nftables.conf", join(config, "nftables.conf"), "/etc/nftables.conf"],
  /** The routes that the control plane of a boundary node writes, and that its neighbouring programs read. */
  routes: "/run/ic-routes",
  versionFile: "/opt/ic/share/version.txt",
  ...textfileIn("/run/node_exporter/collector_textfile"),
  medium: {
    /** A tar placed directly here counts as a medium. */
    directTar: "/mnt/ic-bootstrap.tar",
    mountPoint: "/run/guestos-boot/medium",
    tarName: "ic-bootstrap.tar",
    /** The configuration of today's hosts, in the tar or in its place. Not every system's hosts hand over one: hence the wider type. */
    guestosConfig: "config.json" as string | undefined,
    label: "CONFIG",
    serial: "config",
  },
};

export const guestosLayout: Layout = defaultLayout;

/** The files of a config partition that is mounted at that folder. */
export function configFiles(folder: string) {
  return {
    machineId: join(folder, "machine-id"),
    ssh: join(folder, "ssh"),
    nodeExporter: join(folder, "node_exporter"),
    storeKey: join(folder, "store.keyfile"),
    /** One file for each object that must never be formatted twice. */
    intents: join(folder, "intents"),
    /** The record of the injection: the tar's digest and the phase. */
    injection: join(folder, "injection.json"),
    /** The record of the files below /var/lib/ic that came from it. */
    injectedData: join(folder, "injected-data.json"),
    configured: join(folder, "CONFIGURED"),
    accountKeys: join(folder, "accounts_ssh_authorized_keys"),
    /** The records of the slots: A.json, B.json. */
    slots: join(folder, "slots"),
    /** Images that must not be installed again. */
    refusedImages: join(folder, "slots", "refused.json"),
    /** The record of which network card is the node's (network-card.ts). */
    networkCard: join(folder, "network-card.json"),
    /** Exists while a run makes a lasting change (unfinished-run.ts). */
    unfinishedRun: join(folder, "unfinished-run.json"),
    /** The files that come from the medium (docs/configuration.md). */
    injected: {
      network: join(folder, "network.conf"),
      nns: join(folder, "nns.conf"),
      backup: join(folder, "backup.conf"),
      journalbeat: join(folder, "journalbeat.conf"),
      filebeat: join(folder, "filebeat.conf"),
      bnVars: join(folder, "bn_vars.conf"),
      certificateChain: join(folder, "certs", "fullchain.pem"),
      certificateKey: join(folder, "certs", "privkey.pem"),
      /** config.json of today's hosts, without the operator's key, as it was taken last. */
      guestosConfig: join(folder, "config.json"),
    },
  };
}

/** The program's own state in that folder. */
export function runFiles(folder: string) {
  return {
    lock: join(folder, "lock"),
    record: join(folder, "record.jsonl"),
    /** What the units of this boot's runs read and wrote, where that was asked for (GUESTOS_OBSERVE=1). */
    observed: join(folder, "observed.jsonl"),
    monitor: join(folder, "monitor.json"),
    /** The FIFO through which a boot reports that all of it has ended well (guestos-boot-late.socket). */
    ended: join(folder, "ended"),
    upgradeLock: join(folder, "upgrade.lock"),
    /** The files that guestos-go-back.service checks in this boot. */
    trial: { "on-trial": join(folder, "on-trial"), "not-on-trial": join(folder, "not-on-trial") },
    /** The choice of network card in this boot, whether or not that could be recorded permanently. */
    networkCard: join(folder, "network-card.json"),
    /** The identity of the last loaded ruleset, and a copy of it: the file may be missing, or broken, when it is needed again. */
    loadedRuleset: join(folder, "nftables.json"),
    rulesetCopy: join(folder, "ruleset.nft"),
    /** The configuration with which the shipper of the journal was started. */
    shipperStarted: join(folder, "log-shipper.started"),
    /** The IPv4 settings that the orchestrator gave (ipv4-settings.ts). */
    ipv4: join(folder, "ipv4.json"),
    /** The folders in which keys are made, before they are moved to the config partition. */
    newKeys: { ssh: join(folder, "ssh-host-keys"), nodeExporter: join(folder, "node-exporter-keys") },
    /** A host's: what the medium of its guest is made of, and the medium's image. */
    guestMedium: { folder: join(folder, "guest-medium"), image: join(folder, "guest-config.img") },
    /** Mount points: where the /var of this slot is filled, and where that of the other slot is read. */
    varMounts: { own: join(folder, "var"), other: join(folder, "var-other") },
  };
}

/** The program's own folder, its configuration, and its extra units. */
export function ownFiles(own: string) {
  return { own, ownConfig: join(own, "config.yaml"), ownUnits: join(own, "units.d") };
}

/** The folder of node_exporter's textfile collector, and this program's file in it. */
export function textfileIn(collector: string) {
  return { collector, textfile: join(collector, "guestos-boot.prom") };
}
