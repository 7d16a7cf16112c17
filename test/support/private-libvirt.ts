import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deadlineIn, pause, systemClock } from "../../src/base/clock.ts";

/** libvirt's daemons for one test file, on files of their own: of the machine, they see only what is mounted in `folder` by then. */
export interface PrivateLibvirt {
  /** Ends libvirtd without a word, and leaves its machines. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const SOCKET = "/run/libvirt/libvirt-sock";

/** What the daemons have in place of the machine's own: QEMU is started as root, without confinement. */
const SETUP = `
mount --bind "$1/var" /var
mount -t tmpfs tmpfs /etc/libvirt
cp "$1/qemu.conf" /etc/libvirt/
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
shift
exec "$@"
`;

/** To be called in a namespace of the tests' own. */
export async function privateLibvirt(folder: string): Promise<PrivateLibvirt> {
  mkdirSync("/run/libvirt", { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "tmpfs", "/run/libvirt"]).status !== 0) throw new Error("cannot mount over /run/libvirt");
  const files = join(folder, "libvirt");
  // It outlives the daemons: the sockets by which a machine is found again are in it.
  for (const name of ["lib/libvirt/qemu", "log/libvirt/qemu", "cache/libvirt", "tmp"])
    mkdirSync(join(files, "var", name), { recursive: true });
  writeFileSync(
    join(files, "qemu.conf"),
    'user = "root"\ngroup = "root"\nsecurity_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n',
  );
  // The account that Debian's package makes, which the daemon looks for.
  const account = (name: string, line: string): void =>
    writeFileSync(join(files, name), `${readFileSync(`/etc/${name}`, "utf8")}${line}\n`);
  account("passwd", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin");
  account("group", "libvirt-qemu:x:64055:\nlibvirt:x:64056:");
  const daemon = (program: string): ChildProcess =>
    spawn("unshare", ["--mount", "--propagation", "private", "sh", "-ec", SETUP, "sh", files, program], { stdio: "ignore" });
  const log = daemon("virtlogd");
  let libvirtd: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => libvirtd?.once("exit", resolve));
    libvirtd?.kill("SIGKILL");
    await ended;
  };
  const start = async (): Promise<void> => {
    libvirtd = daemon("libvirtd");
    const left = deadlineIn(30_000);
    while (!existsSync(SOCKET) || spawnSync("virsh", ["--connect", "qemu:///system", "list"], { timeout: 5000 }).status !== 0) {
      if (left() === 0) throw new Error("libvirtd does not answer");
      await pause(systemClock, 100);
    }
  };
  await start();
  return {
    kill,
    start,
    async stop() {
      await kill();
      log.kill("SIGKILL");
      spawnSync("umount", ["/run/libvirt"]);
    },
  };
}
