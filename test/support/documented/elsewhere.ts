import { commandsOfSection } from "./commands.ts";

/**
 * Commands of the documents that need a whole node, or another machine than the one that test/system/docs/commands.test.ts has. The test that
 * runs one takes it from here, with values of its own: what no test imports any more, `make check` reports as an unused export.
 */
export const oneUnit = "guestos-boot --unit NAME";
export const networkAndHostname = "guestos-boot --unit network --unit hostname";
export const waiting = "guestos-boot --wait 60 --json";
export const boot = "guestos-boot run --stage boot";
export const plan = "guestos-boot plan";
export const planOne = "guestos-boot plan --unit NAME";
export const doctor = "guestos-boot doctor";
export const doctorAsAdmin = "sudo guestos-boot doctor";
export const doctorJson = "guestos-boot doctor --json";
export const monitorOnce = "guestos-boot monitor --once --unit NAME";
export const recovery = "guestos-boot recovery-passphrase";
export const setRecovery = "guestos-boot recovery-passphrase set";
export const removeRecovery = "guestos-boot recovery-passphrase remove";
export const setRecoveryFromFile = "guestos-boot recovery-passphrase set < /run/passphrase";
export const installFromAddress = "guestos-boot upgrade install --sha256 HASH https://host/update.tar.zst";
export const installFromInput = "guestos-boot upgrade install --sha256 HASH - < update.tar.zst";
export const verifyWithHeaders = "guestos-boot upgrade verify --sha256 HASH --header-file /root/headers https://host/update.tar.zst";
export const planGreeting = "guestos-boot plan --unit greeting";
export const greet = "guestos-boot --unit greeting";
export const whyGreeting = "guestos-boot why greeting";
export const provisionKeys = "guestos-boot provision-ssh-keys readonly < readonly.pub";
export const regenerate = "guestos-boot regenerate-network-config";
export const regenerateByTool = "guestos_tool regenerate-network-config";
export const hostVersion = "guestos-boot host version";
export const hostNotify = 'guestos-boot host notify --count 5 "the node has joined"';
export const hostUpgrade = 'guestos-boot host upgrade https://example.org/update.tar.zst --hash "$HASH"';
export const guest = "guestos-boot guest";
export const guestRestart = "guestos-boot guest restart";
export const guestStop = "guestos-boot guest stop";
export const checkHardware = "guestos-boot check-node-hardware ./stick";
export const checkHardwareReplacing = "guestos-boot check-node-hardware --replace 7KQ2-M9XD ./stick";
export const checkHardwareAndPorts = "guestos-boot check-node-hardware --try-ports ./stick";
export const stopMonitor = "systemctl stop guestos-monitor.service";
export const monitorExposure = "systemd-analyze security";
export const receivedJournal = "journalctl --directory … --output json GUESTOS_TAG=lab";
export const serialConsole = "socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:build/vm/default/serial.sock";
export const testRules = "promtool test rules";
/** In their order: test/vm/conflicts/keys.ts takes all the steps. */
export const rescue: readonly string[] = commandsOfSection("docs/operator.md", "The key file is lost");

export const elsewhere: ReadonlySet<string> = new Set([
  ...[oneUnit, networkAndHostname, waiting, boot, plan, planOne, doctor, doctorAsAdmin, doctorJson, monitorOnce],
  ...[recovery, setRecovery, removeRecovery, setRecoveryFromFile, installFromAddress, installFromInput, verifyWithHeaders],
  ...[planGreeting, greet, whyGreeting, provisionKeys, regenerate, regenerateByTool, stopMonitor, monitorExposure],
  ...[hostVersion, hostNotify, hostUpgrade, guest, guestRestart, guestStop, checkHardware, checkHardwareAndPorts, checkHardwareReplacing],
  ...[receivedJournal, serialConsole, testRules],
  ...rescue,
]);

/**
 * A command of a document as a test runs it.
 *
 * @param values what takes the place of a piece of it: `{ HASH: "0f1e…" }`
 * @throws Error where a piece is not in the command
 */
export function filled(command: string, values: Readonly<Record<string, string>> = {}): string {
  for (const piece of Object.keys(values)) if (!command.includes(piece)) throw new Error(`${piece} is not in ${command}`);
  return Object.entries(values).reduce((text, [piece, value]) => text.replaceAll(piece, value), command);
}

/** The same without its program, as one text. */
export function argumentsOf(command: string, values: Readonly<Record<string, string>> = {}): string {
  return filled(command, values).replace(/^\S+ /, "");
}

const OF_THE_PROGRAM = "what the program itself runs";
const BUILDS_IMAGE = "how the image is built";
const A_NAME = "names the command, which takes more than that";

/** Words that have the form of a command, and are none that a reader would type as they are. */
export const mentions: Readonly<Record<string, string>> = {
  "set < FILE": "the end of a command",
  // So is every image built that the tests boot.
  "chroot tree systemctl preset-all": BUILDS_IMAGE,
  "chroot tree apt-get install --yes --no-install-recommends /tmp/guestos-boot.deb": BUILDS_IMAGE,
  "node image/build.ts": BUILDS_IMAGE,
  "npm ci": "how every test gets its packages",
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
  "guestos-boot vsock-agent": "systemd runs it, with a connection (test/system/cli/vsock.test.ts)",
  "guestos-boot monitor": "never ends: the service runs it",
  // Of a host with a guest: what they call is run by test/system/cli/guest.test.ts.
  "guestos-boot guest status": A_NAME,
  "guestos-boot guest console": "with a guest's log",
  "guestos-boot guest console --follow": "with a guest's log, and never ends",
  "guestos-boot guest slot": "with a guest's disk",
  "virsh resume guestos": "of a machine that libvirt runs",
  "systemctl status libvirtd": "of a machine that libvirt runs",
  "cryptsetup luksHeaderBackup": A_NAME,
  "cryptsetup luksHeaderRestore": A_NAME,
  "diff BOOT BOOT": A_NAME,
  "systemctl disable": A_NAME,
  "manageboot guestos upgrade-install": "of the older system's own program",
  "guestos-boot plan --profile lab": "of a profile that the reader makes",
  "node src/cli/main.ts graph --profile lab": "of a profile that the reader makes",
  "guestos-boot --unit swappiness": "of a unit that the reader makes",
  "mke2fs -d": BUILDS_IMAGE,
  "mmdebstrap --mode=root": BUILDS_IMAGE,
  "mmdebstrap --variant=minbase": BUILDS_IMAGE,
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
