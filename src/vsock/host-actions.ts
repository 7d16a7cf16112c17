import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ProblemError } from "../base/problem.ts";
import { environmentFile } from "../config/text/environment-file.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { moveUsbDevice } from "../system/usb-device.ts";
import { runJob } from "../system/systemd/systemd.ts";
import type { Notice, Upgrade } from "./protocol.ts";

/** What a host does for its guest. Each ends within its time, and throws a ProblemError when it is not done. */
export interface HostActions {
  readonly version: () => Promise<string>;
  /** Returns before the notice has been shown as often as it asks for. */
  readonly show: (notice: Notice) => Promise<void>;
  readonly hsm: (verb: "attach" | "detach") => Promise<void>;
  /** Returns once the image is verified and installed, and the restart is near. */
  readonly upgrade: (upgrade: Upgrade) => Promise<void>;
}

/** The domain of the guest, as libvirt knows it, and the one device that it may have: a Nitrokey HSM. */
const DOMAIN = "guestos";
const HSM = { vendor: "20a0", product: "4230" };
/** Bytes of a version: a commit's hash has 40. */
const LONGEST_VERSION = 128;
/** Milliseconds. A guest waits 30 s for these, and 5 minutes for an upgrade. */
const TIME_LIMIT = 25_000;
const UPGRADE_TIME_LIMIT = 280_000;

/**
 * The actions of this machine. The process that serves a connection is confined; what takes more rights or longer is done by a service of
 * its own, to which it hands a file (etc/hostos/systemd/system). Several such processes run at the same moment.
 *
 * @param ownName a word that no other of these processes uses for its files
 */
export function hostActions(host: Host, layout: Layout, ownName: () => string = randomUUID): HostActions {
  const handedOver = handedOverFiles(layout);
  // Written under a name of its own: what is written beside a file until it is whole has the same name for all who write that file.
  const handOver = async (file: string, content: string): Promise<void> => {
    await host.makeFolder(handedOver.folder, { mode: 0o700 });
    const own = `${file}.${ownName()}`;
    await host.writeFile(own, content, { mode: 0o600 });
    await host.rename(own, file);
  };
  return {
    version: async () => readVersion(host, layout.versionFile),
    // A notice that is still shown makes room for the next one; systemd's limit on starts is the limit on such notices.
    show: async (notice) => {
      await handOver(handedOver.notice, JSON.stringify(notice));
      await runJob(host, "restart", "guestos-vsock-notice.service", TIME_LIMIT);
    },
    hsm: async (verb) => {
      await host.makeFolder(handedOver.folder, { mode: 0o700 });
      const file = join(handedOver.folder, `hsm-${ownName()}.xml`);
      try {
        await moveUsbDevice(host, verb, { domain: DOMAIN, device: HSM, file, timeout: TIME_LIMIT });
      } finally {
        await host.remove(file);
      }
    },
    // An instance for each image: a request that is repeated waits for the same job. Different images meet at the lock of the upgrade.
    upgrade: async ({ url, "target-hash": hash }) => {
      const file = join(handedOver.folder, `upgrade-${hash}`);
      await handOver(file, environmentFile({ URL: url }));
      try {
        await runJob(host, "start", `guestos-vsock-upgrade@${hash}.service`, UPGRADE_TIME_LIMIT);
      } finally {
        await host.remove(file);
      }
    },
  };
}

/** What the process that serves a connection leaves for other services. */
export function handedOverFiles({ run }: Layout): { readonly folder: string; readonly notice: string } {
  const folder = join(run, "vsock");
  return { folder, notice: join(folder, "notice.json") };
}

async function readVersion(host: Host, file: string): Promise<string> {
  const bytes = await host.readAt(file, 0, LONGEST_VERSION + 1);
  const version = Buffer.from(bytes ?? [])
    .toString()
    .trim();
  if (/^[\x21-\x7e]{1,128}$/.test(version)) return version;
  throw new ProblemError({
    code: "host-version-unknown",
    what: "the version of this host is not known",
    where: { file },
    found: bytes === undefined ? "no such file" : "no version",
    expected: "one word",
  });
}
