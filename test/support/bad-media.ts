import { type RawEntry, rawTar } from "./raw-tar.ts";
import { canary } from "./canaries.ts";

/** Each name is followed by what the error says: where, and what was found. */
export interface BadFile {
  readonly file: string;
  readonly content: string;
  readonly place: `${number}:${number}` | undefined;
  readonly found: RegExp;
  /** A node takes nothing of its medium. Any other file costs what is wrong in it. */
  readonly isRefused?: true;
  /** A good address that no one beyond the link can use: a warning names it by its key. */
  readonly isOutOfReach?: true;
}

/** Each file, and each key of it once; a file's mistakes are reported all at once. */
export const badFiles: readonly BadFile[] = [
  {
    file: "network.conf",
    content: [
      "ipv6_address=2001:db8::17",
      "ipv6_gateway=fe80::1%eth0",
      "ipv4_address=192.0.2.300/24",
      "ipv4_gateway=$(reboot)",
      "name_servers=dns.example.org",
      "hostname=-x",
      "domain=a..b",
      "hostnme=x",
    ].join("\n"),
    place: "1:14",
    found: /ipv6_address .*ipv6_gateway .*ipv4_address .*ipv4_gateway .*\$\(reboot\).*name_servers .*hostname .*domain .*perhaps hostname/s,
  },
  { file: "network.conf", content: "hostname=a\nhostname=a\n", place: "2:1", found: /hostname/ },
  { file: "network.conf", content: "ipv6_address=fe80::1/64\n", place: "1:14", found: /ipv6_address/, isOutOfReach: true },
  { file: "nns.conf", content: "nns_url=http://a:8080 ftp://b\n", place: "1:23", found: /ftp/ },
  {
    file: "backup.conf",
    content: "backup_retention_time_secs=-1\nbackup_purging_interval_secs=0\n",
    place: "1:28",
    found: /backup_retention_time_secs .*backup_purging_interval_secs /s,
  },
  {
    file: "journalbeat.conf",
    content: "journalbeat_hosts=[2001:db8::1\njournalbeat_tags=a/b\n",
    place: "1:19",
    found: /journalbeat_hosts .*journalbeat_tags /s,
  },
  {
    file: "filebeat.conf",
    content: "elasticsearch_hosts=a:99999\nelasticsearch_tags=ü\n",
    place: "1:21",
    found: /elasticsearch_hosts .*elasticsearch_tags /s,
  },
  ...["log.conf", "socks_proxy.conf"].map((file): BadFile => ({ file, content: "# x\nno-equals\n", place: "2:1", found: /has no =/ })),
  { file: "nftables.conf", content: 'table inet x {}\ninclude "/etc/shadow"\n', place: "2:1", found: /include/, isRefused: true },
  ...["admin", "root"].map((account): BadFile => ({
    file: `accounts_ssh_authorized_keys/${account}`,
    content: '# x\ncommand="reboot" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGEkR3cW3KNi1iwNJyCPlYHJhbWYyWxJRvNaGCaJMXDn\n',
    place: "2:1",
    found: /command/,
  })),
  {
    file: "nns_public_key.pem",
    content: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    place: undefined,
    found: /./,
    isRefused: true,
  },
  {
    file: "node_operator_private_key.pem",
    content: canary("the operator's key", "canary-secret-of-no-form"),
    place: undefined,
    found: /^(?!.*canary)/s,
    isRefused: true,
  },
];

const good: RawEntry = { name: "network.conf", content: "hostname=a\n" };
/** What a medium brings that no one may see. */
const secret: RawEntry = { name: "ic_crypto/node/secret", content: canary("the crypto of a medium", "crypto-6f1d0b7c-of-a-medium") };

/** What no tar of a node may hold. The thorough table is the unit test of src/medium/bootstrap-tar.ts. */
export const hostileTars: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({
    "a symbolic link and a file through it": rawTar([
      good,
      secret,
      { name: "ic_state/a", type: "2", linkname: "/boot/config" },
      { name: "ic_state/a/ESCAPED" },
    ]),
    "a hard link": rawTar([good, secret, { name: "nns.conf", type: "1", linkname: "/boot/config/store.keyfile" }]),
    "a block device": rawTar([good, secret, { name: "ic_state/disk", type: "4" }]),
    "a FIFO": rawTar([good, secret, { name: "ic_state/fifo", type: "6" }]),
    "..": rawTar([good, secret, { name: "ic_state/../../../boot/config/ESCAPED" }]),
    "an absolute name": rawTar([good, secret, { name: "/boot/config/ESCAPED" }]),
    "the same name twice": rawTar([good, secret, { name: "./network.conf", content: "hostname=b\n" }]),
    "a size that no disk holds": rawTar([good, secret, { name: "ic_state/a", size: "77777777777\0", content: "x" }]),
    "an end that is missing": rawTar([good], { end: false }),
    "a tar that was cut off": rawTar([good, secret, { name: "ic_state/a", content: Buffer.alloc(100_000, 1) }]).subarray(0, 50_000),
    "a sparse file": rawTar([good, secret, { name: "ic_state/a", type: "S" }]),
    "a bomb of folders": rawTar([good, secret, { name: `ic_state/${"a/".repeat(40)}` }]),
    "a bomb of text": rawTar([good, secret, { name: "nns.conf", content: Buffer.alloc(1024 * 1024, 0x0a) }]),
    "no tar at all": Buffer.from("hostname=a\n".repeat(200)),
  }),
);

/** Whole tars that hold nothing for a node; the last two are what slips make of a good one. */
export const emptyTars: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({
    "zeros alone": Buffer.alloc(10_240),
    "empty folders": rawTar([{ name: "./" }, { name: "ic_crypto/" }, { name: "ic_state/" }]),
    "empty files": rawTar([{ name: "network.conf" }, { name: "nns.conf", content: "\n" }]),
    "names that no node knows": rawTar([{ name: "NETWORK.CONF", content: "hostname=a\n" }]),
    "everything one folder too deep": rawTar([
      { name: "node7/" },
      { name: "node7/network.conf", content: "hostname=a\n" },
      { name: "node7/ic_state/x", content: "x" },
    ]),
  }),
);

/** A tar with nothing bad in it but that file. */
export function badTar({ file, content }: BadFile): Buffer {
  return rawTar([...(file === good.name ? [] : [good]), secret, { name: file, content }]);
}

/** What the error says of a hostile tar, and of one that is empty. */
export const REFUSED = /is refused$|is too large$|damaged or cut off$|too many|too deep|^there is no configuration in the tar$/;
