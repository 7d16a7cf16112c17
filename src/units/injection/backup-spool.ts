import { provision } from "../../boot/unit.ts";
import { readBackupConf } from "../../config/backup-conf.ts";
import { deleteOldFiles, hasOldFiles, type OldFiles } from "../../system/files/find.ts";
import { isClockSet, uptime } from "../../system/systemd/trusted-clock.ts";
import { mounts } from "../../system/disks/mounts.ts";
import { unit } from "../machine.ts";
import { volumeMounts } from "../disks/volume-mounts.ts";
import { besideNode } from "./vm-type.ts";

/**
 * Afterwards the backup spool holds no file that is older than backup.conf allows.
 *
 * The monitor runs it, as often as backup.conf says. It requires the mounted spool: an empty mount point holds no files to purge. Only
 * files are deleted; links and other file systems are never followed. There is no conflict.
 *
 * A clock that is ahead makes every file look old. So nothing is deleted before the clock has been set from the network, or the node has
 * run for as long as files are kept. A file from before that boot is then old enough, whatever the clock shows.
 */
export const backupSpool = unit({
  name: "backup-spool",
  title: "Purge old files from the backup spool",
  absent: besideNode,
  requires: [volumeMounts],
  onFailure: "degrade",
  repairs: true,
  timeout: 60 * 60_000,
  inspectEvery: async ({ host, layout }) => (await readBackupConf(host, layout)).backup_purging_interval_secs,
  async plan({ host, layout, note }) {
    const folder = layout.mountPoints.backup;
    const all = await mounts(host);
    if (!all.some(({ mountPoint }) => mountPoint === folder)) return [];
    const { backup_retention_time_secs: retention } = await readBackupConf(host, layout);
    const old: OldFiles = {
      folder,
      // Rounded to the full minute, so that a file that expires between the deletion and the plan after it is left for the next time.
      before: Math.floor(host.now() / 60_000) * 60 - retention,
      except: all.map(({ mountPoint }) => mountPoint).filter((mountPoint) => mountPoint.startsWith(`${folder}/`)),
    };
    if (!(await hasOldFiles(host, old))) return [];
    if (!(await isClockSet(host)) && (await uptime(host)) < retention) {
      note("no backup is deleted yet: the clock has not been set from the network in this boot, and may be ahead");
      return [];
    }
    return [provision(`delete files below ${folder} that are older than ${retention} s`, () => deleteOldFiles(host, old))];
  },
});
