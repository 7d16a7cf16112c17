import { conflict } from "../boot/unit.ts";
import { DEFAULT_PROFILE, profiles } from "../profiles/profiles.ts";
import type { Problem } from "../base/problem.ts";
import { unit } from "../units/machine.ts";
import { mountBoot } from "../units/disks/mount-boot.ts";
import type { Setup } from "./setup.ts";

/**
 * The setup of an image whose profile is unknown.
 *
 * Commands that need the profile are refused (`requireConfiguration`). A boot fails, and reports why in the record, for `status` and
 * `doctor`, like every other failure. It makes nothing permanent. It only mounts what every profile mounts in the same way, so that another
 * system can be installed, or booted again. The parts of the layout that those commands read are the same in every profile.
 */
export function unknownProfile(problem: Problem): Setup {
  const profile = unit({ name: "profile", title: "Determine which profile this system has", plan: async () => conflict(problem) });
  return {
    chain: [profile, mountBoot],
    layout: profiles[DEFAULT_PROFILE].layout,
    medium: profiles[DEFAULT_PROFILE].medium,
    maintenance: async () => [],
    health: async () => [],
    configuration: { files: [], executables: [], problems: [problem] },
  };
}
