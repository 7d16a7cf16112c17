import { conflict } from "../boot/unit.ts";
import { DEFAULT_PROFILE, profiles } from "../profiles/profiles.ts";
import type { Problem } from "../base/problem.ts";
import { unit } from "../units/machine.ts";
import { mountBoot } from "../units/disks/mount-boot.ts";
import type { Setup } from "./setup.ts";

/**
 * The setup of an image of which nobody knows which system it is.
 *
 * What people ask for that needs the profile is refused (`requireConfiguration`). A boot fails, and says why where everything
 * else is said that goes wrong in one: in the record, for `status` and `doctor`. It makes nothing, and only mounts what every
 * profile mounts in the same way, so that another system can be installed, or gone back to. Where things stand, as far as those
 * commands ask, is the same in every profile.
 */
export function unknownProfile(problem: Problem): Setup {
  const profile = unit({ name: "profile", title: "Know which system this is", plan: async () => conflict(problem) });
  return {
    chain: [profile, mountBoot],
    layout: profiles[DEFAULT_PROFILE].layout,
    medium: profiles[DEFAULT_PROFILE].medium,
    maintenance: async () => [],
    configuration: { files: [], executables: [], problems: [problem] },
  };
}
