import type { Problem } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Profile } from "../profiles/profile.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What is run, and where: the real chain on the real machine, or a test's; with what /etc/guestos-boot says of it. */
export interface Setup {
  /** Absent where nobody knows it: see `unknownProfile`. */
  readonly profile?: ProfileName;
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
  readonly medium: Profile["medium"];
  readonly maintenance: Profile["maintenance"];
  readonly configuration: {
    /** What was taken into account. */
    readonly files: readonly string[];
    /** What extra units run. Looked at when they are run, and by `verify`: one that is missing fails for itself. */
    readonly executables: readonly string[];
    /** What is wrong with them. A boot goes on without what it cannot use; see `requireConfiguration`. */
    readonly problems: readonly Problem[];
  };
}
