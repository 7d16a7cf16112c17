import { join } from "node:path";

/**
 * The paths, names and sizes of a GuestOS: the interface that hosts, images and operators rely on. Every path comes from here, so that
 * tests can move the whole tree. Three kinds are elsewhere. Interfaces of the kernel and of udev are constants of the file in src/system
 * that reads them. Programs are named by the unit that runs them. The paths that a unit `owns` are text for people and for `verify`.
 */
export interface Layout {
  /** GPT partition names. */
  readonly partitions: {
    readonly esp: string;
    readonly grub: string;
    readonly config: string;
    readonly store: string;
    readonly boot: (slot: Slot) => string;
    readonly root: (slot: Slot) => string;
    readonly var: (slot: Slot) => string;
  };
  readonly mountPoints: {
    readonly boot: string;
    readonly efi: string;
    readonly grub: string;
    /** The config partition: small, plain text, synchronous, survives upgrades. */
    readonly config: string;
    readonly var: string;
    readonly data: string;
    readonly crypto: string;
    readonly backup: string;
  };
  /** Files on the config partition. */
  readonly config: {
    readonly machineId: string;
    readonly ssh: string;
    readonly nodeExporter: string;
    readonly storeKey: string;
    /** One file for each object that must never be formatted twice. */
    readonly intents: string;
    /** The record of the injection: the tar's digest and the phase. */
    readonly injection: string;
    /** The record of the files below /var/lib/ic that came from it. */
    readonly injectedData: string;
    readonly configured: string;
    readonly accountKeys: string;
    /** The records of the slots: A.json, B.json. */
    readonly slots: string;
    /** Images that must not be installed again. */
    readonly refusedImages: string;
    /** The record of which network card is the node's (network-card.ts). */
    readonly networkCard: string;
    /** Exists while a run makes a lasting change (unfinished-run.ts). */
    readonly unfinishedRun: string;
    /** The files that come from the medium (docs/configuration.md). */
    readonly injected: {
      readonly network: string;
      readonly nns: string;
      readonly backup: string;
      readonly journalbeat: string;
      readonly filebeat: string;
      readonly bnVars: string;
      readonly certificateChain: string;
      readonly certificateKey: string;
    };
  };
  /** From the medium: the key that identifies the node's operator to the network. */
  readonly operatorKey: string;
  /** GRUB's environment block: it holds the slot that is booted next. */
  readonly grubenv: string;
  /** Public keys (*.pem) whose owners may sign upgrade images. */
  readonly upgradeKeys: string;
  /** Device-mapper names of the two encrypted devices. The store's contains the partition's name, as existing nodes have it. */
  readonly mappings: { readonly store: (partition: string) => string; readonly var: string };
  readonly volumeGroup: string;
  readonly volumes: readonly VolumeLayout[];
  /** Node-specific files below /etc, on a tmpfs and bind-mounted into place: the root is read-only. */
  readonly runtimeEtc: { readonly hostname: string; readonly ssh: string; readonly nodeExporter: string };
  /** One authorized_keys file for each account, at the path of the image's sshd: AuthorizedKeysFile /run/ic-node/ssh/authorized_keys/%u. */
  readonly accountKeysRuntime: string;
  /** The folder of the running program's own state. It does not survive the boot. */
  readonly run: string;
  readonly runFiles: {
    readonly lock: string;
    readonly record: string;
    readonly monitor: string;
    /** The FIFO through which a boot reports that all of it has ended well (guestos-boot-late.socket). */
    readonly ended: string;
    readonly upgradeLock: string;
    /** The files that guestos-go-back.service checks in this boot. */
    readonly trial: { readonly "on-trial": string; readonly "not-on-trial": string };
    /** The configuration with which the shipper of the journal was started. */
    readonly shipperStarted: string;
    /** The IPv4 settings that the orchestrator gave (ipv4-settings.ts). */
    readonly ipv4: string;
    /** The folders in which keys are made, before they are moved to the config partition. */
    readonly newKeys: { readonly ssh: string; readonly nodeExporter: string };
    /** Mount points: where the /var of this slot is filled, and where that of the other slot is read. */
    readonly varMounts: { readonly own: string; readonly other: string };
  };
  /** Records of past boots. */
  readonly records: string;
  readonly etc: {
    readonly folder: string;
    readonly ssh: string;
    readonly nodeExporter: string;
    readonly hostname: string;
    readonly machineId: string;
    /** Executables that must all succeed before a new system is confirmed. */
    readonly healthChecks: string;
    /** The program's own folder, its configuration, and its extra units. */
    readonly own: string;
    readonly ownConfig: string;
    readonly ownUnits: string;
  };
  readonly networkd: string;
  /** The drop-in with the address to which the journal is shipped (journal-upload.conf(5)). */
  readonly journalUpload: string;
  /**
   * The certificates by which the shipper of the journal recognises its receiver, and its own key and certificate (systemd's own paths,
   * and Debian's store).
   */
  readonly journalUploadTls: { readonly trusted: readonly string[]; readonly key: string; readonly certificate: string };
  /** The configuration of Filebeat, where an image has it (etc/guestos/systemd/system/filebeat.service.d). */
  readonly filebeat: string;
  /** The folder of nginx's files, on a tmpfs: nginx.conf, and beside it the certificate and key that it names. */
  readonly nginx: string;
  /** danted's configuration (danted.conf(5)). */
  readonly danted: string;
  /** The folder of the services' environment files, one for each service (systemd.exec(5), EnvironmentFile=). */
  readonly environments: string;
  /** The node's own programs that an image may have (etc/boundary). */
  readonly programs: {
    readonly boundaryNodeControlPlane: string;
    readonly icRouterControlPlaneWatcher: string;
    readonly icxProxy: string;
  };
  /** Searched in this order; the first that exists is the ruleset: the orchestrator's, the injected one, the image's. */
  readonly rulesets: readonly string[];
  /** The routes that the control plane of a boundary node writes, and that its neighbouring programs read. */
  readonly routes: string;
  readonly versionFile: string;
  /** The folder of node_exporter's textfile collector, and this program's file in it. */
  readonly collector: string;
  readonly textfile: string;
  readonly medium: {
    /** A tar placed directly here counts as a medium. */
    readonly directTar: string;
    readonly mountPoint: string;
    readonly tarName: string;
    readonly label: string;
    readonly serial: string;
  };
}

export type Slot = "A" | "B";

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

export const guestosLayout: Layout = {
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
    config,
    var: "/var",
    data: join(state, "data"),
    crypto: join(state, "crypto"),
    backup: join(state, "backup"),
  },
  config: configFiles(config),
  operatorKey: join(state, "data", "node_operator_private_key.pem"),
  grubenv: "/boot/grub/grubenv",
  upgradeKeys: "/etc/guestos-boot/keys",
  mappings: { store: (partition) => `${partition}-crypt`, var: "var_crypt" },
  volumeGroup: "store",
  // For small (lab) disks: shares of the group, and a minimum below which the file system could not be made (mkfs.xfs requires 300 MiB).
  volumes: [
    {
      name: "shared-crypto",
      fileSystem: "ext4",
      mountPoint: join(state, "crypto"),
      size: { least: 64 * MIB, share: "1/16", most: GIB },
    },
    { name: "shared-swap", fileSystem: "swap", size: { least: 32 * MIB, share: "1/7", most: 64 * GIB } },
    {
      name: "shared-backup",
      fileSystem: "ext4",
      mountPoint: join(state, "backup"),
      size: { least: 64 * MIB, share: "1/4", most: 180 * GIB },
    },
    { name: "shared-data", fileSystem: "xfs", mountPoint: join(state, "data"), size: { least: 320 * MIB, share: "1/4" } },
  ],
  runtimeEtc: { hostname: "/run/ic-node/etc/hostname", ssh: "/run/ic-node/etc/ssh", nodeExporter: "/run/ic-node/etc/node_exporter" },
  accountKeysRuntime: "/run/ic-node/ssh/authorized_keys",
  run,
  runFiles: runFiles(run),
  records: "/var/lib/guestos-boot/boots",
  etc: {
    folder: "/etc",
    ssh: "/etc/ssh",
    nodeExporter: "/etc/node_exporter",
    hostname: "/etc/hostname",
    machineId: "/etc/machine-id",
    healthChecks: "/etc/guestos-boot/health.d",
    ...ownFiles("/etc/guestos-boot"),
  },
  networkd: "/run/systemd/network",
  journalUpload: "/run/systemd/journal-upload.conf.d/10-guestos-boot.conf",
  journalUploadTls: {
    trusted: ["/etc/ssl/ca/trusted.pem", "/etc/ssl/certs/ca-certificates.crt"],
    key: "/etc/ssl/private/journal-upload.pem",
    certificate: "/etc/ssl/certs/journal-upload.pem",
  },
  filebeat: "/run/ic-node/filebeat/filebeat.yml",
  nginx: "/run/ic-node/etc/nginx",
  danted: "/run/ic-node/etc/danted.conf",
  environments: "/run/ic-node/etc/default",
  programs: {
    boundaryNodeControlPlane: "/opt/ic/bin/boundary-node-control-plane",
    icRouterControlPlaneWatcher: "/opt/ic/bin/ic-router-control-plane-watcher",
    icxProxy: "/usr/bin/icx-proxy",
  },
  rulesets: ["/run/ic-node/nftables-ruleset/nftables.conf", join(config, "nftables.conf"), "/etc/nftables.conf"],
  routes: "/run/ic-routes",
  versionFile: "/opt/ic/share/version.txt",
  ...textfileIn("/run/node_exporter/collector_textfile"),
  medium: {
    directTar: "/mnt/ic-bootstrap.tar",
    mountPoint: "/run/guestos-boot/medium",
    tarName: "ic-bootstrap.tar",
    label: "CONFIG",
    serial: "config",
  },
};

/** The files of a config partition that is mounted at that folder. */
export function configFiles(folder: string): Layout["config"] {
  return {
    machineId: join(folder, "machine-id"),
    ssh: join(folder, "ssh"),
    nodeExporter: join(folder, "node_exporter"),
    storeKey: join(folder, "store.keyfile"),
    intents: join(folder, "intents"),
    injection: join(folder, "injection.json"),
    injectedData: join(folder, "injected-data.json"),
    configured: join(folder, "CONFIGURED"),
    accountKeys: join(folder, "accounts_ssh_authorized_keys"),
    slots: join(folder, "slots"),
    refusedImages: join(folder, "slots", "refused.json"),
    networkCard: join(folder, "network-card.json"),
    unfinishedRun: join(folder, "unfinished-run.json"),
    injected: {
      network: join(folder, "network.conf"),
      nns: join(folder, "nns.conf"),
      backup: join(folder, "backup.conf"),
      journalbeat: join(folder, "journalbeat.conf"),
      filebeat: join(folder, "filebeat.conf"),
      bnVars: join(folder, "bn_vars.conf"),
      certificateChain: join(folder, "certs", "fullchain.pem"),
      certificateKey: join(folder, "certs", "privkey.pem"),
    },
  };
}

/** The program's own state in that folder. */
export function runFiles(folder: string): Layout["runFiles"] {
  return {
    lock: join(folder, "lock"),
    record: join(folder, "record.jsonl"),
    monitor: join(folder, "monitor.json"),
    ended: join(folder, "ended"),
    upgradeLock: join(folder, "upgrade.lock"),
    trial: { "on-trial": join(folder, "on-trial"), "not-on-trial": join(folder, "not-on-trial") },
    shipperStarted: join(folder, "log-shipper.started"),
    ipv4: join(folder, "ipv4.json"),
    newKeys: { ssh: join(folder, "ssh-host-keys"), nodeExporter: join(folder, "node-exporter-keys") },
    varMounts: { own: join(folder, "var"), other: join(folder, "var-other") },
  };
}

/** The program's own configuration in that folder. */
export function ownFiles(own: string): Pick<Layout["etc"], "own" | "ownConfig" | "ownUnits"> {
  return { own, ownConfig: join(own, "config.yaml"), ownUnits: join(own, "units.d") };
}

export function textfileIn(collector: string): Pick<Layout, "collector" | "textfile"> {
  return { collector, textfile: join(collector, "guestos-boot.prom") };
}
