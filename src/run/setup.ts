import type { Problem } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Profile } from "../profiles/profile.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What runs, and where: the real chain on the real machine, or a test's; with the configuration in /etc/guestos-boot. */
export interface Setup {
  /** Absent where the profile is unknown: see `unknownProfile`. */
  readonly profile?: ProfileName;
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
  readonly medium: Profile["medium"];
  readonly maintenance: Profile["maintenance"];
  readonly health: Profile["health"];
  readonly configuration: {
    /** The files that were taken into account. */
    readonly files: readonly string[];
    /** The programs of extra units. Checked only when they are run, and by `verify`: a missing one fails its own unit. */
    readonly executables: readonly string[];
    /** The problems of the configuration. A boot goes on without the unusable parts; see `requireConfiguration`. */
    readonly problems: readonly Problem[];
  };
}
