import { provision } from "../../boot/unit.ts";
import { refuseFindings } from "../../base/finding.ts";
import { hostosConfigUpToDate, readHostosConfig } from "../../config/hostos-config.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { unit } from "../machine.ts";

/**
 * Afterwards config.json of a HostOS has this program's version of the format.
 *
 * It requires the config partition. The installer writes the file; a later version of HostOS may find one of an earlier version, whose
 * values it keeps. A file with a mistake is not rewritten, because the mistake would be lost: the unit is degraded and names the place. The
 * units that read the file run, and do without the wrong value: one must not cost the host its network. Without a file that can be read, they
 * do not run. There is no conflict.
 */
export const hostosConfig = unit({
  name: "hostos-config",
  title: "Bring the host's configuration up to date",
  requires: [mountBoot],
  owns: ["/boot/config/config.json"],
  async plan({ host, layout, note }) {
    const read = await readHostosConfig(host, layout);
    refuseFindings(read.file, read.findings, { rest: "all other settings are in force", partial: true });
    const text = hostosConfigUpToDate(read);
    if (text === undefined) return [];
    return [
      provision(`bring ${read.file} from version ${read.config.config_version} to this program's`, async () => {
        for (const one of read.notes) note(`${read.file}: ${one}`);
        await host.writeFile(read.file, text, { mode: 0o600, uid: 0, gid: 0 });
      }),
    ];
  },
});
