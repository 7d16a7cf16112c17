import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { contradiction, parseConf, readConf, seconds } from "./text/conf.ts";
import { readGuestosConfig } from "./guestos-config.ts";
import type { GuestosConfig } from "./guestos-settings.ts";
import type { Layout } from "./layout/layout.ts";

/** Ten years: a larger value is a mistake, such as milliseconds. */
const LONGEST = 10 * 365 * 86_400;
const DEFAULT_RETENTION = 86_400;
const DEFAULT_INTERVAL = 3600;

const keys = z.object({
  backup_retention_time_secs: z._default(seconds(0, LONGEST), DEFAULT_RETENTION),
  backup_purging_interval_secs: z.optional(seconds(1, LONGEST)),
  /** The key as the shell-era host tools misspelled it: media that they built are still in use. */
  backup_puging_interval_secs: z.optional(seconds(1, LONGEST)),
});

export const BackupConf = z.pipe(
  keys.check(
    z.superRefine((conf, context) => {
      const { backup_purging_interval_secs: right, backup_puging_interval_secs: misspelled } = conf;
      if (right !== undefined && misspelled !== undefined)
        contradiction(context, "backup_puging_interval_secs", "only backup_purging_interval_secs, which says the same");
    }),
  ),
  z.transform(({ backup_retention_time_secs, backup_purging_interval_secs, backup_puging_interval_secs }) => ({
    backup_retention_time_secs,
    backup_purging_interval_secs: backup_purging_interval_secs ?? backup_puging_interval_secs ?? DEFAULT_INTERVAL,
  })),
);
export type BackupConf = z.infer<typeof BackupConf>;

/** @throws ProblemError naming every mistake with its place */
export function parseBackupConf(content: Uint8Array, file: string): BackupConf {
  return parseConf(content, file, BackupConf, Object.keys(keys.shape));
}

/** The backup settings of this node, of config.json or of backup.conf; the defaults when there is neither. @throws ProblemError */
export async function readBackupConf(host: Host, layout: Layout): Promise<BackupConf> {
  const handedOver = await readGuestosConfig(host, layout);
  if (handedOver !== undefined) return backupOf(handedOver.config);
  return (await readConf(host, layout.config.injected.backup, parseBackupConf)) ?? BackupConf.parse({});
}

/** The backup settings of config.json. */
function backupOf({ guestos_settings }: GuestosConfig): BackupConf {
  const { backup_spool: given } = guestos_settings.guestos_dev_settings;
  return {
    backup_retention_time_secs: given?.backup_retention_time_seconds ?? DEFAULT_RETENTION,
    backup_purging_interval_secs: given?.backup_purging_interval_seconds ?? DEFAULT_INTERVAL,
  };
}
