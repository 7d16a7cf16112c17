/** A command that documents name for a node, and that test/vm/node/documents.ts types there, with what it then says. */
export interface OnANode {
  readonly command: string;
  readonly says: RegExp;
  /** Run before it, so that there is something to inspect. */
  readonly first?: string;
  /** Run after it, to leave the node as it was. */
  readonly afterwards?: string;
}

export const onANode: readonly OnANode[] = [
  { command: "journalctl -b", says: /systemd\[1\]: /i },
  { command: "journalctl -b -t guestos-boot", says: /guestos-boot\[\d+\]: / },
  { command: "journalctl -b -u guestos-boot", says: /guestos-boot\[\d+\]: / },
  { command: "journalctl -b -p warning -t guestos-boot", says: /^/ },
  { command: "journalctl -b GUESTOS_UNIT=var", says: /guestos-boot\[\d+\]: .*var/ },
  { command: "journalctl GUESTOS_EVENT=unit GUESTOS_OUTCOME=failed", says: /^/ },
  {
    command: "journalctl -b GUESTOS_EVENT=action -o verbose --output-fields=GUESTOS_UNIT,GUESTOS_ACTION",
    says: /GUESTOS_UNIT=var\n/,
  },
  { command: "journalctl -u guestos-monitor", says: /guestos-monitor/ },
  { command: "systemctl status guestos-monitor.service", says: /Active: active \(running\)/ },
  { command: "systemctl cat guestos-boot.service", says: /^ExecStart=\S*guestos-boot run --stage boot/m },
  { command: "systemctl list-units --type mount", says: /var-lib-ic-data\.mount/ },
  { command: "systemctl list-jobs; systemctl --failed", says: /0 loaded units listed/ },
  { command: "systemctl start guestos-boot.target", says: /^$/ },
  {
    command: "systemctl mask --runtime guestos-monitor.service",
    says: /^/,
    afterwards: "systemctl unmask --runtime guestos-monitor.service && systemctl start guestos-monitor.service",
  },
  { command: "lsblk -o NAME,SIZE,SERIAL,PARTLABEL", says: /\bstore\b/ },
  { command: "lvs --all store", says: /shared-data/ },
  { command: "dmsetup table NAME", says: /zero/, first: "dmsetup create NAME --table '0 2048 zero' && udevadm settle" },
  { command: "dmsetup remove NAME", says: /^$/ },
  {
    command: "cryptsetup close NAME",
    says: /^$/,
    // Nothing is written: the partition of the other system's /var lends its size.
    first: `echo passphrase | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 --hash sha256 /dev/vda9 NAME && udevadm settle`,
  },
  { command: "guestos-boot monitor --once", says: /^/ },
  { command: "guestos-boot", says: /0 degraded, 0 failed, 0 skipped/ },
  { command: "GUESTOS_OBSERVE=1 guestos-boot", says: /0 degraded, 0 failed, 0 skipped/ },
  { command: "guestos-boot verify --record /run/guestos-boot/observed.jsonl", says: /^guestos: the chain is sound/ },
  {
    command: "guestos-boot replay /run/guestos-boot/observed.jsonl",
    says: /^recorded by version \S+, profile guestos\n[^]*replay: \d+ plans: [1-9]\d* the same, 0 differ, \d+ not decided\n$/,
  },
];
