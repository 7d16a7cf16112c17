import { provision } from "../../boot/unit.ts";
import { readBackupConf } from "../../config/backup-conf.ts";
import { deleteOldFiles, hasOldFiles, type OldFiles } from "../../system/files/find.ts";
import { isClockSet, uptime } from "../../system/systemd/trusted-clock.ts";
import { mounts } from "../../system/disks/mounts.ts";
import { unit } from "../machine.ts";
import { volumeMounts } from "../disks/volume-mounts.ts";

/**
 * Afterwards the backup spool holds no file that is older than backup.conf allows.
 *
 * Run by the monitor, as often as backup.conf says. Requires that the spool is mounted: below an empty mount point there is
 * nothing to purge. Only files are deleted; links and other file systems are never followed.
 *
 * A clock that is ahead makes every file old. So nothing is deleted before the clock has been set from the network, or the node has
 * run for as long as files are kept: what was there before is old enough then, whatever the clock shows.
 */
export const backupSpool = unit({
  name: "backup-spool",
  title: "Purge old files from the backup spool",
  requires: [volumeMounts],
  onFailure: "degrade",
  mends: true,
  timeout: 60 * 60_000,
  lookEvery: async ({ host, layout }) => (await readBackupConf(host, layout)).backup_purging_interval_secs,
  async plan({ host, layout, note }) {
    const folder = layout.mountPoints.backup;
    const all = await mounts(host);
    if (!all.some(({ mountPoint }) => mountPoint === folder)) return [];
    const { backup_retention_time_secs: retention } = await readBackupConf(host, layout);
    const old: OldFiles = {
      folder,
      // By the full minute, so that what expires between deleting and looking again is left for the next time.
      before: Math.floor(Date.now() / 60_000) * 60 - retention,
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
