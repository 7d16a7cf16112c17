/** How a command ends on the machine of test/system/docs/commands.test.ts. */
export interface Here {
  /** Whether it changes what the node boots, and so has one of its own. */
  readonly decides?: true;
  /** Whether B is on trial there: what is confirmed, or given up. */
  readonly onTrial?: true;
  /** Whether all that a document shows of it is what it prints, in that order. What is not, is inspected by other tests, or differs from boot to boot. */
  readonly asShown?: true;
  /** Whether it is a line of a block that builds an image's tree, and is run after the lines before it. */
  readonly inTree?: true;
  /** A file that it writes. */
  readonly writes?: string;
}

/** What inspects, or works on files: it is run as it is. */
export const here: Readonly<Record<string, Here>> = {
  "guestos-boot --version": {},
  "guestos-boot help COMMAND": {},
  "guestos-boot list": { asShown: true },
  "guestos-boot graph": { asShown: true },
  "guestos-boot graph --profile boundary": {},
  "guestos-boot graph --svg": {},
  "guestos-boot graph --svg > chain.svg": { writes: "chain.svg" },
  "guestos-boot graph --svg --boot 0 > ran.svg": { writes: "ran.svg" },
  "guestos-boot graph --format dot > chain.dot": { writes: "chain.dot" },
  "guestos-boot verify": { asShown: true },
  "guestos-boot verify --bounds": { asShown: true },
  "guestos-boot status": {},
  "guestos-boot status --json": {},
  "guestos-boot status --boot 1": {},
  "guestos-boot status --boot 1 --json": {},
  "guestos-boot status --watch": {},
  "guestos-boot why UNIT": {},
  "guestos-boot why hostname": {},
  "guestos-boot why store-key": {},
  "guestos-boot why store-key --boot 1": {},
  "guestos-boot analyze": {},
  "guestos-boot analyze time": {},
  "guestos-boot analyze blame": {},
  "guestos-boot analyze blame --record other-node.jsonl": {},
  "guestos-boot analyze critical-chain": {},
  "guestos-boot analyze critical-chain --record node7.jsonl": {},
  "guestos-boot analyze diff 1 0": {},
  "guestos-boot analyze diff before.jsonl after.jsonl": {},
  "guestos-boot analyze plot": {},
  "guestos-boot analyze plot > boot.svg": { writes: "boot.svg" },
  "guestos-boot analyze report > boot.html": { writes: "boot.html" },
  "guestos-boot analyze trace > boot.json": { writes: "boot.json" },
  "guestos-boot config-image --out config.img ./node7": { writes: "config.img" },
  "guestos-boot config-image --out config.img --network-conf ./network.conf": { writes: "config.img" },
  "guestos-boot config-image --out config.img --network-conf ./network.conf --accounts-ssh-authorized-keys ./keys": {
    writes: "config.img",
  },
  "guestos-boot check-node-config ./stick": {},
  "guestos-boot check-node-config --mac b0:7b:25:c8:f6:c0 ./stick": { asShown: true },
  "guestos-boot upgrade": {},
  "guestos-boot upgrade status": {},
  "guestos-boot upgrade commit": { decides: true },
  "guestos-boot upgrade commit --no-reboot": { decides: true },
  "guestos-boot upgrade confirm": { decides: true, onTrial: true },
  "guestos-boot upgrade rollback": { decides: true, onTrial: true },
  "guestos-boot upgrade forget SHA256": { decides: true },
  "guestos-boot upgrade install --signature update.tar.zst.sig update.tar.zst": { decides: true },
  "guestos-boot upgrade verify --sha256 HASH update.tar.zst": {},
  "guestos-boot upgrade verify --signature update.tar.zst.sig update.tar.zst": {},
  "guestos-boot upgrade verify --insecure --json update.tar": {},
  "manageboot current": {},
  "manageboot confirm": { decides: true, onTrial: true },
  "manageboot upgrade-commit": { decides: true },
  "node src/cli/main.ts verify": {},
  "node src/cli/main.ts graph": {},
  'grep \'"kind":"tool"\' /run/guestos-boot/record.jsonl': {},
  "sed -i 's/10.0.2.3/10.0.2.4/' /boot/config/network.conf": {},
  "touch /boot/config/CONFIGURED": {},
  "install -D --mode=0644 config.yaml tree/etc/guestos-boot/config.yaml": { inTree: true },
  "install -D --mode=0644 --target-directory=tree/etc/guestos-boot/units.d/greeting unit.yaml": { inTree: true },
  "install -D --mode=0755 --target-directory=tree/etc/guestos-boot/units.d/greeting greeting": { inTree: true },
  "chroot tree guestos-boot verify": { inTree: true },
  "chroot tree guestos-boot list": { inTree: true },
  "wipefs DEVICE": {},
  "wipefs --all DEVICE": {},
  "dd if=/dev/zero of=DEVICE bs=1M count=16 conv=fsync": {},
  "od -A x -t x1z -N 256 DEVICE": {},
  "partx --show DISK": {},
  "sfdisk --dump DISK": {},
  "sfdisk --part-label DISK NUMBER NAME": {},
  "cp dist/guestos-boot_*_amd64.deb tree/tmp/guestos-boot.deb": { writes: "tree/tmp/guestos-boot.deb" },
};
