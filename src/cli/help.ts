/** The texts below the options in each command's --help, and in guestos-boot(8). At most 80 columns. */

export const rootHelp = `Without a command, the whole chain is run. A unit that has nothing to do changes
nothing, so a run can be repeated at any time. Only one runs at a time.

Examples, running the boot chain:
  guestos-boot                        run all of it
  guestos-boot plan                   what that would do, without doing it
  guestos-boot --unit network         after editing network.conf: apply it

Examples, inspecting a boot:
  guestos-boot status                 how this boot went
  guestos-boot status --boot 1        how the boot before this one went
  guestos-boot why store-key          why a unit ran, waited or failed
  guestos-boot doctor                 whether the node is as it should be
  guestos-boot analyze blame          what took the time

Examples, upgrading the node:
  guestos-boot upgrade                the state of the two systems
  guestos-boot upgrade confirm        keep the one that is on trial

guestos-boot help COMMAND describes a command and shows examples.
The manual: man guestos-boot, man guestos-config, man guestos-boot.conf.`;

export const runHelp = `Each unit inspects the machine, does what is missing, and checks again. Units
that do not depend on each other run at the same time. A unit that fails stops
only those that require it; the others finish, and the last lines say what to
do.

Examples:
  guestos-boot run --stage boot  what guestos-boot.service does
  guestos-boot --unit network --unit hostname
  guestos-boot --wait 60 --json   for scripts: one document, at the end`;

export const planHelp = `Inspects as a run does, and stops before the first action of each unit. A unit
that requires one with something to do is "planned once" that one has run. Exits
with 0 when there is nothing to do, with 11 when there is something.

Examples:
  guestos-boot plan
  guestos-boot plan --unit network`;

export const verifyHelp = `Lists every mistake in the chain, and in /etc/guestos-boot: the configuration
file and extra units (guestos-boot.conf(5)). The build of an image runs it.
Exits with 9 for a chain that is not sound, with 18 for a configuration that
cannot be used. With --bounds it also tells the longest that a boot can take:
the path whose timeouts, retries included, have the largest sum. With --record it
holds what units read and wrote in a run against what they declare; a run with
GUESTOS_OBSERVE=1 in its environment writes /run/guestos-boot/observed.jsonl.

Examples:
  guestos-boot verify
  guestos-boot verify --bounds
  guestos-boot verify --record /run/guestos-boot/observed.jsonl
  chroot tree guestos-boot verify`;

export const replayHelp = `A run with GUESTOS_OBSERVE=1 in its environment writes what each plan of a unit
was answered, and what it decided, to /run/guestos-boot/observed.jsonl. This makes
the same plans again from these answers. It inspects and changes no machine. What
not everyone may read is not in the file, but only what followed from it. A plan
that needs more is not decided again. Exits with 19 where a plan differs.`;

export const graphHelp = `Arrows start at what comes first; dashed ones mean order only.

Examples:
  guestos-boot graph
  guestos-boot graph --svg > chain.svg
  guestos-boot graph --svg --boot 0 > ran.svg
  guestos-boot graph --format dot > chain.dot`;

export const analyzeHelp = `Everything comes from the record, and the boot's beginning and end from systemd.
"gain" is how much shorter the boot would have been without the time of a unit.

Examples:
  guestos-boot analyze                       where the time went
  guestos-boot analyze critical-chain        what the end of the boot waited for
  guestos-boot analyze plot > boot.svg       a picture of it
  guestos-boot analyze report > boot.html    all of it in one page
  guestos-boot analyze trace > boot.json     for https://ui.perfetto.dev
  guestos-boot analyze diff 1 0              the boot before, and this one
  guestos-boot analyze blame --record other-node.jsonl`;

export const whyHelp = `Shows what the unit waited for, what it saw, what it ran, and how that ended,
for each run of the boot that it was part of.

Examples:
  guestos-boot why store-key
  guestos-boot why store-key --boot 1`;

export const doctorHelp = `Plans each unit, and inspects what no unit does: mount options, permissions of
keys, copies of LUKS headers, sizes of volumes, free space, the network, both
systems, the expiry of a certificate, services, the monitor. Shows what is
wrong, worst first, the command that shows it, and how to repair it. Changes
nothing. Exits with 0 when the node is sound, with 17 when something is wrong,
or could not be inspected. Notices do not count.

Examples:
  guestos-boot doctor
  guestos-boot doctor --json`;

export const statusHelp = `The runs of one boot are taken together: the boot itself, and what an operator
ran since. The latest result of each unit counts. Exits as the boot did: with 0,
3 (failed) or 10 (degraded), or with 13 while it is running, or when it was cut
off.

Examples:
  guestos-boot status
  guestos-boot status --watch
  guestos-boot status --boot 1 --json`;

export const monitorHelp = `Waits for events that require an inspection (a changed ruleset, a lost address,
a volume that fills up), and inspects everything once an hour. What is safe to
repair at any time is repaired; the metrics show the rest. With --once, a unit
is inspected without those that it requires; exits with 10 when something is
missing.

Examples:
  systemctl status guestos-monitor.service
  guestos-boot monitor --once
  guestos-boot monitor --once --unit nftables`;

export const configImageHelp = `Writes a VFAT image labelled CONFIG with ic-bootstrap.tar in it; the same input
gives the same bytes. The node's own checks run first; nothing is written unless
they pass. Attach the image to the VM as a removable disk.

Examples:
  guestos-boot config-image --out config.img ./node7
  guestos-boot config-image --out config.img --network-conf ./network.conf \\
    --accounts-ssh-authorized-keys ./keys`;

export const checkNodeConfigHelp = `Says everything that is wrong with config.ini, deployment.json, the ssh keys and
the key of the node operator, and prints the addresses that the node will have.
They follow from the MAC address of the machine's BMC: give it with --mac. The
folder is read, and nothing else. Exits with 12 when there is a mistake.

Examples:
  guestos-boot check-node-config ./stick
  guestos-boot check-node-config --mac b0:7b:25:c8:f6:c0 ./stick`;

export const checkNodeHardwareHelp = `Says everything for which the installer would refuse this machine, at once:
processors, memory, drives, ports. What it asks for follows from config.ini.
Each drive is listed: whether it would be taken, why not, and what is on it. A
drive with a node on it is kept, unless --replace has the token that is shown.
With --try-ports each port is brought up, and has the installer's address while
the gateway is asked; nothing else is ever changed. It is for a machine that was
started from another medium, by UEFI, and needs lshw, smartmontools, lvm2,
ipmitool, ethtool and iputils-ping. Exits with 12 when there is a mistake, or
something could not be found out.

Examples:
  guestos-boot check-node-hardware ./stick
  guestos-boot check-node-hardware --try-ports ./stick
  guestos-boot check-node-hardware --replace 7KQ2-M9XD ./stick`;

export const upgradeHelp = `A node has two systems, in slots A and B. One runs; an upgrade is installed into
the other one and tried once. Unless it is confirmed, the next boot goes back.

Examples:
  guestos-boot upgrade            the state of both
  guestos-boot upgrade commit     try what was installed; restarts the machine
  guestos-boot upgrade confirm    keep it
  guestos-boot upgrade rollback   go back`;

export const upgradeStatusHelp = `The setting of the boot loader, what is known of each slot, and the images that
are refused because they failed. Lines "to do" are what the next boot, or the
next upgrade command, does before anything else. Changes nothing.`;

export const upgradeCommitHelp = `Requires that the running system is stable, and that the other slot holds an
image that was installed, read back and not tried before. The new system has one
try: if it does not start, or is not confirmed, the machine goes back to this
one.

Examples:
  guestos-boot upgrade commit
  guestos-boot upgrade commit --no-reboot`;

export const upgradeConfirmHelp = `The boot must have succeeded, and every executable in /etc/guestos-boot/health.d
must exit with 0 within a minute. On a HostOS, libvirt must answer, and so must
the gateway; the bridge must have its address, and the guest must run. On a
stable system nothing is checked and nothing written, so it may be called any
number of times.`;

export const upgradeRollbackHelp = `On trial: goes back to the other system; the image on trial is refused from then
on. Stable: tries the other system, as commit does, if it is known to work.
Committed and not restarted yet: undoes the commit.`;

export const upgradeForgetHelp = `An image that was tried and not confirmed is refused from then on, by its hash.

Example:
  guestos-boot upgrade forget SHA256`;

export const recoveryHelp = `The passphrase has its own key slot in the LUKS header of the store. It opens
the store on any machine, also when /boot/config/store.keyfile is lost:
docs/operator.md, "The key file is lost". A node boots without it.

Examples:
  guestos-boot recovery-passphrase           whether there is one
  guestos-boot recovery-passphrase set       asks for it twice, and shows nothing
  guestos-boot recovery-passphrase remove`;

export const recoverySetHelp = `16 to 512 printable ASCII characters, 8 of them different. It is typed at the
terminal, or is the first line of standard input; never an argument or in the
environment. The same passphrase again changes nothing. Another one replaces it,
after a test that it opens the store.

Examples:
  guestos-boot recovery-passphrase set
  guestos-boot recovery-passphrase set < /run/passphrase`;

export const managebootHelp = `The same as the link manageboot, and as: guestos-boot upgrade VERB. The word
guestos may stand before the verb: /opt/ic/bin/manageboot.sh guestos confirm.

Examples:
  manageboot current
  manageboot upgrade-commit`;

export const provisionSshKeysHelp = `Lines as in authorized_keys. They are kept on the config partition, and are in
force at once. A line that is no key is left out: the others are in force, and
it exits with 12. No line at all: no one can log in to that account. It is what
the orchestrator calls as /opt/ic/bin/provision-ssh-keys.sh.

Examples:
  guestos-boot provision-ssh-keys readonly < readonly.pub`;

export const regenerateNetworkConfigHelp = `All three options, or none: then the configuration's own address holds again. It
is what the orchestrator calls as guestos_tool regenerate-network-config.

Examples:
  guestos-boot regenerate-network-config`;

export const hostHelp = `Asks the machine that runs this one, over vsock. What it may be asked for, and
its replies: docs/vsock.md. Exits with 12 when the host has not done it, or does
not reply. The link /opt/ic/bin/vsock_guest takes the options of older systems.

Examples:
  guestos-boot host version
  guestos-boot host notify --count 5 "the node has joined"
  guestos-boot host upgrade https://example.org/update.tar.zst --hash "$HASH"`;

export const vsockAgentHelp = `Answers the one request that comes on standard input, on standard output, and
ends. guestos-vsock.socket starts it for each connection; REMOTE_ADDR says whose
it is (systemd.socket(5)). A request that is refused is answered, and is no
failure.`;

export const upgradeInstallHelp = `The image (tar, tar.gz or tar.zst) is written directly to the other slot's
partitions. Only what they do not hold already is written; all of it is read
back from the disk. Nothing is started: that is what commit does. The same
command resumes an interrupted install. One of --sha256, --signature or
--insecure is required. Exits with 14 while an upgrade waits for its restart or
confirmation.

For a server that requires authorization: --header-file, a file of lines such as
"Authorization: Bearer TOKEN", which only its owner can read. They are sent to
that server only, by https. An address with a password in it is refused.

Examples:
  guestos-boot upgrade install --sha256 "$HASH" https://example.org/update.tar.zst
  guestos-boot upgrade install --signature update.tar.zst.sig update.tar.zst
  guestos-boot upgrade install --sha256 "$HASH" - < update.tar.zst`;

export const upgradeVerifyHelp = `Reads the whole image: its hash or signature, its members, its manifest.

Examples:
  guestos-boot upgrade verify --signature update.tar.zst.sig update.tar.zst
  guestos-boot upgrade verify --insecure --json update.tar`;

export const guestHelp = `On a HostOS: the machine in which the GuestOS runs. guestos.service keeps it
running: whenever it has ended, its slot is chosen again as its boot loader would
choose it, and it is started with the kernel of that slot. docs/hostos.md has the
details.

Examples:
  guestos-boot guest
  guestos-boot guest restart
  guestos-boot guest console --follow`;

export const guestStatusHelp = `Shows how the machine is now, and the account of the service: since when, from
which slot, how its boot went, when it is started again, and why not before.`;

export const guestConsoleHelp = `Shows the last 64 KiB of the log, without control characters. Logs of earlier
starts are beside it, as -1 to -5. To type into the guest: virsh console guestos.`;

export const guestSlotHelp = `Reads the boot loader's block on the guest's disk. While the guest runs, it may
still change it.

With a slot, such as B: stops the guest, has its boot loader try that slot, and
starts it again. The system there has one try: if it is not confirmed, the start
after it boots the other slot. A slot that cannot be started is refused, once the
guest was shut down: nothing is written, and it is started again. Where the next
start boots that slot already, nothing is done. A guest that was stopped stays so.`;

export const hardwareMetricsHelp = `Asks each drive by smartctl, and the BMC, where there is one, by ipmitool. What
they say is written for node_exporter. One that does not answer is said, and its
metrics are absent.`;

export const guestRunHelp = `Starts the guest, and starts it again whenever it has ended: after 1 s, then 2 s,
4 s, up to 5 minutes. What cannot be inspected is left alone. When
told to end, it presses the guest's power button, waits two minutes at most, and
ends it by force.`;
