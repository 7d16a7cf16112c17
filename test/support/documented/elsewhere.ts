/** A command that is run by another test, in the very words of the document but for values. */
export interface Elsewhere {
  /** The test, or the script that every test of a whole boot begins with. */
  readonly file: string;
  /** Pieces of that file, or of what it imports of test/, that are this command: every word of it that is no value is in one of them. */
  readonly as: readonly string[];
}

const NODE = "test/vm/node.test.ts";
const UPGRADE = "test/vm/upgrade.test.ts";
const MONITOR = "test/vm/monitor.test.ts";
const EXTRA = "test/system/docs/extra-units.test.ts";
const ONE_UNIT = { file: NODE, as: ["echo ${names.join", "xargs -P 2 -I UNIT bash -c 'run UNIT --unit UNIT'", "run() { guestos-boot"] };
const APPLIED = { file: NODE, as: ['const units = "--unit network --unit hostname"', "guestosBoot(vm, `--json ${units}`)"] };
const PLANNED = { file: NODE, as: ['const units = "--unit network --unit hostname"', "guestosBoot(vm, `plan --json ${units}`)"] };
const INSPECTED = { file: MONITOR, as: ['guestosBoot(vm, "monitor --once --unit data-growth")'] };
const FETCHED = { file: UPGRADE, as: ["guestos-boot upgrade install --json --sha256 ${image.sha256} ${server.url}"] };
const RECOVERY: Elsewhere = {
  file: NODE,
  as: [
    "guestos-boot recovery-passphrase set --json",
    "guestos-boot recovery-passphrase set < /run/passphrase",
    'guestosBoot(vm, "recovery-passphrase remove")',
    'guestosBoot(vm, "recovery-passphrase")',
  ],
};
/** Of "The key file is lost". */
const RESCUE = (command: string): Elsewhere => ({ file: "test/vm/conflicts.test.ts", as: [command] });
/** The services run it, and that they did is inspected. */
const STAGES = { file: NODE, as: ["guestos-boot run --stage boot --wait 300"] };

/** What needs a whole node, or another machine than the one that test/system/docs/commands.test.ts has. */
export const elsewhere: Readonly<Record<string, Elsewhere>> = {
  "guestos-boot --unit NAME": ONE_UNIT,
  "guestos-boot recovery-passphrase": RECOVERY,
  "guestos-boot recovery-passphrase set": RECOVERY,
  "guestos-boot recovery-passphrase remove": RECOVERY,
  "guestos-boot recovery-passphrase set < /run/passphrase": RECOVERY,
  "set < FILE": RECOVERY,
  ...Object.fromEntries(
    [
      "cryptsetup open --test-passphrase /dev/vda10",
      "cryptsetup open --readonly /dev/vda10 rescue-crypt",
      "vgchange --activate y store",
      "vgchange --activate n store",
      "cryptsetup close rescue-crypt",
      "cryptsetup luksAddKey --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vda10 /boot/config/store.keyfile.new",
      "cryptsetup open --test-passphrase --key-file /boot/config/store.keyfile.new /dev/vda10",
      "mv --no-clobber /boot/config/store.keyfile.new /boot/config/store.keyfile && sync /boot/config",
      "cryptsetup luksDump /dev/vda10",
      "cryptsetup luksKillSlot /dev/vda10 NUMBER",
    ].map((command) => [command, RESCUE(command)]),
  ),
  "guestos-boot --unit upgrade-state": ONE_UNIT,
  "guestos-boot --unit network": APPLIED,
  "guestos-boot --unit network --unit hostname": APPLIED,
  "guestos-boot --wait 60 --json": { file: NODE, as: ['guestos-boot "\\${@:2}" --json --wait 300'] },
  "guestos-boot run --stage boot": STAGES,
  "guestos-boot plan": { file: NODE, as: ['guestosBoot(vm, "plan --json")'] },
  "guestos-boot plan --unit NAME": PLANNED,
  "guestos-boot plan --unit network": PLANNED,
  "guestos-boot doctor": { file: NODE, as: ['guestosBoot(vm, "doctor")'] },
  "sudo guestos-boot doctor": { file: NODE, as: ['asAdmin("sudo -n guestos-boot doctor")'] },
  "guestos-boot doctor --json": { file: NODE, as: ['guestosBoot(vm, "doctor --json")'] },
  "guestos-boot monitor --once --unit NAME": INSPECTED,
  "guestos-boot monitor --once --unit nftables": INSPECTED,
  "guestos-boot upgrade install --sha256 HASH https://host/update.tar.zst": FETCHED,
  "guestos-boot upgrade verify --sha256 HASH --header-file /root/headers https://host/update.tar.zst": {
    file: "test/system/cli/upgrade-address.test.ts",
    as: ['"upgrade", "verify", "--sha256", hash, "--header-file", headers'],
  },
  'guestos-boot upgrade install --sha256 "$HASH" https://example.org/update.tar.zst': FETCHED,
  'guestos-boot upgrade install --sha256 "$HASH" - < update.tar.zst': {
    file: UPGRADE,
    as: ["guestos-boot upgrade install --json --sha256 ${next.sha256} - </dev/vdb"],
  },
  "guestos-boot --unit nginx": { file: "test/vm/boundary.test.ts", as: ['guestosBoot(vm, "--wait 120 --unit nginx")'] },
  "guestos-boot plan --unit greeting": { file: EXTRA, as: ['fixture.run("plan", "--unit", "greeting")'] },
  "guestos-boot --unit greeting": { file: EXTRA, as: ['fixture.run("--unit", "greeting")'] },
  "guestos-boot why greeting": { file: EXTRA, as: ['fixture.run("why", "greeting")'] },
  "systemctl stop guestos-monitor.service": { file: MONITOR, as: ["systemctl stop guestos-monitor.service"] },
  "journalctl --directory … --output json GUESTOS_TAG=lab": {
    file: "test/vm/services.test.ts",
    as: ["journalctl --quiet --directory ${RECEIVED} --output ${output} ${matches}", 'received("GUESTOS_TAG=lab", "json")'],
  },
  "guestos-boot provision-ssh-keys readonly < readonly.pub": {
    file: "test/system/cli/orchestrator.test.ts",
    as: ["guestos-boot provision-ssh-keys readonly < readonly.pub"],
  },
  "guestos-boot regenerate-network-config": {
    file: "test/system/cli/orchestrator.test.ts",
    as: ['call("guestos-boot", ["regenerate-network-config"])'],
  },
  "guestos_tool regenerate-network-config": {
    file: "test/system/cli/orchestrator.test.ts",
    as: ['call("guestos_tool", args)', 'guestosTool("regenerate-network-config"'],
  },
  // So is every image built that the tests boot.
  "chroot tree systemctl preset-all": { file: "image/product.ts", as: ['run("chroot", [root, "systemctl", "preset-all"]'] },
  "chroot tree apt-get install --yes --no-install-recommends /tmp/guestos-boot.deb": {
    file: "image/product.ts",
    as: ['run("chroot", [root, "apt-get", "install", "--yes", "--no-install-recommends", `/${inside}`]'],
  },
  "socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:build/vm/default/serial.sock": {
    file: NODE,
    as: ["socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:build/vm/${NAME}/serial.sock"],
  },
  "npm ci": { file: "tools/setup.sh", as: ["npm ci"] },
  "node image/build.ts": { file: "package.json", as: ["node image/build.ts"] },
  "promtool test rules": { file: "test/system/metrics/prometheus.test.ts", as: ['promtool(["test", "rules", tests])'] },
  "systemd-analyze security": { file: MONITOR, as: ["systemd-analyze security --no-pager guestos-monitor.service"] },
};

const OF_THE_PROGRAM = "what the program itself runs";
const A_NAME = "names the command, which takes more than that";

/** Words that have the form of a command, and are none that a reader would type as they stand. */
export const mentions: Readonly<Record<string, string>> = {
  "blkdiscard --zeroout": OF_THE_PROGRAM,
  "cryptsetup open": OF_THE_PROGRAM,
  "danted -V": OF_THE_PROGRAM,
  "e2fsck -p": OF_THE_PROGRAM,
  "ip monitor": OF_THE_PROGRAM,
  "nft -c": OF_THE_PROGRAM,
  "nft -e -a -f": OF_THE_PROGRAM,
  "nft -f": OF_THE_PROGRAM,
  "nft -j list": OF_THE_PROGRAM,
  "nft -j list ruleset": OF_THE_PROGRAM,
  "nft monitor": OF_THE_PROGRAM,
  "nginx -t": OF_THE_PROGRAM,
  "sudo --non-interactive": OF_THE_PROGRAM,
  "guestos-boot upgrade install": A_NAME,
  "guestos-boot upgrade install …": A_NAME,
  "guestos-boot config-image": A_NAME,
  "guestos-boot config-image --profile boundary": A_NAME,
  "guestos-boot monitor": "never ends: the service runs it",
  "cryptsetup luksHeaderBackup": A_NAME,
  "cryptsetup luksHeaderRestore": A_NAME,
  "diff BOOT BOOT": A_NAME,
  "systemctl disable": A_NAME,
  "manageboot guestos upgrade-install": "of the older system's own program",
  "guestos-boot plan --profile lab": "of a profile that the reader makes",
  "node src/cli/main.ts graph --profile lab": "of a profile that the reader makes",
  "guestos-boot --unit swappiness": "of a unit that the reader makes",
  "mke2fs -d": "how the image is built",
  "mmdebstrap --mode=root": "how the image is built",
  "mmdebstrap --variant=minbase": "how the image is built",
  "qemu-img create -b": "how a test gets a disk",
  "mount --all": "of the shell chain that is measured",
  "zstd -dc": "of what is measured beside",
  "node -e 0": "of what is measured beside",
  "cat >": "of the test of power cuts",
  "await import()": "code",
  "inspecting …: not done": "a line of the journal",
  "watching NAME: not done": "a line of the journal",
  "note from UNIT: …": "a line of the console",
  "STATUS=User job guestos-boot.service/start running (1min 19s / 2h 47s)...": "a line of the console",
  "STATUS=guestos-boot: store-key failed: …": "a line of the console",
};
