import { type Mount, mounts } from "../system/disks/mounts.ts";
import { boundOptions, mountOptions } from "../units/disks/mount-options.ts";
import { type Check, type Finding, type CheckedNode, wrong } from "./check.ts";
import { ownMountPoints } from "./own-mount-points.ts";

/** A unit checks which file system is mounted where, but not the options, which an operator or the kernel may have changed since. */
export const mountsCheck: Check = {
  name: "mounts",
  title: "everything is mounted, with the required options",
  seen: "findmnt",
  async inspect(node, host) {
    const wanted = promisedMounts(node);
    return { fact: `${wanted.length} mounts, all with the required options`, findings: judgeMounts(await mounts(host), wanted) };
  },
};

export interface PromisedMount {
  readonly mountPoint: string;
  /** As given to mount(8). */
  readonly options: readonly string[];
  /** A part of the tmpfs /run, over a part of the read-only root. */
  readonly isBound: boolean;
  /** Only there where the configuration asks for it. */
  readonly isOptional: boolean;
}

export function promisedMounts(node: Pick<CheckedNode, "layout" | "chain">): readonly PromisedMount[] {
  const { mountPoints, etc } = node.layout;
  const plain = { isBound: false, isOptional: false };
  return [
    // The running slot is never written.
    { mountPoint: "/", options: ["ro"], ...plain },
    ...ownMountPoints(node).map((name) => ({ mountPoint: mountPoints[name], options: mountOptions[name], ...plain })),
    ...[etc.ssh, etc.nodeExporter, etc.hostname].map((mountPoint) => ({
      mountPoint,
      options: boundOptions,
      isBound: true,
      // A node without a name of its own has that of the image.
      isOptional: mountPoint === etc.hostname,
    })),
  ];
}

export function judgeMounts(all: readonly Mount[], wanted: readonly PromisedMount[]): readonly Finding[] {
  const missing: string[] = [];
  const findings: Finding[] = [];
  for (const promised of wanted) {
    const mount = all.findLast(({ mountPoint }) => mountPoint === promised.mountPoint);
    if (mount !== undefined) findings.push(...judgeMount(mount, promised));
    else if (!promised.isOptional) missing.push(promised.mountPoint);
  }
  if (missing.length === 0) return findings;
  const absent = wrong("findmnt", {
    code: "mounts-missing",
    what: "not everything is mounted",
    found: `nothing at ${missing.join(", ")}`,
    todo: "guestos-boot",
  });
  return [...absent, ...findings];
}

function judgeMount(mount: Mount, { mountPoint, options, isBound }: PromisedMount): readonly Finding[] {
  const seen = `findmnt --output OPTIONS ${mountPoint}`;
  const found = [...new Set([...mount.options, ...mount.superOptions])].join(",");
  const isReadOnly = mount.options.includes("ro") || mount.superOptions.includes("ro");
  if (isReadOnly && !options.includes("ro")) {
    return wrong(seen, {
      code: "mount-not-writable",
      what: `${mountPoint} cannot be written`,
      found,
      expected: "rw",
      todo: "find out why (dmesg): the kernel does so where it cannot trust the disk; then restart the machine, which checks the file system",
    });
  }
  const lacking = options.filter((option) => !holds(mount, option));
  if (lacking.length === 0) return [];
  return wrong(seen, {
    code: "mount-options-wrong",
    what: `${mountPoint} is not mounted as it should be`,
    found,
    expected: options.join(","),
    // FAT takes its group and its masks only when it is mounted.
    todo: lacking.some((option) => /^(?:gid|umask)=/.test(option))
      ? `umount ${mountPoint} && guestos-boot --unit mount-boot`
      : // "bind": of this mount alone, not of all of /run.
        `mount -o ${["remount", ...(isBound ? ["bind"] : []), ...options].join(",")} ${mountPoint}`,
  });
}

/** The kernel lists options of the file system itself (sync, the masks) apart from those of this mount alone. */
function holds({ options, superOptions }: Mount, option: string): boolean {
  const shown = [...options, ...superOptions];
  if (option === "rw") return !shown.includes("ro");
  const mask = /^umask=(.*)$/.exec(option)?.[1];
  return mask === undefined ? shown.includes(option) : shown.includes(`fmask=${mask}`) && shown.includes(`dmask=${mask}`);
}
