import { main } from "../../../src/cli/program.ts";
import { type ProfileName, profiles } from "../../../src/profiles/profiles.ts";
import { testLayout } from "../../support/test-layout.ts";
import { stayBelow } from "./bounds.ts";
import { chains } from "./chain.ts";

/** A machine of a profile, below a folder. */
export interface Booted {
  readonly root: string;
  readonly profile: ProfileName;
}

/** Runs a command line on the machine. @returns its exit status */
export async function guestosBootOn({ root, profile }: Booted, args: readonly string[], print: (text: string) => void): Promise<number> {
  stayBelow(root);
  return main(args, { print, complain: print, colour: false }, async () => ({
    profile,
    chain: chains.get(profile) ?? [],
    layout: testLayout(root, profiles[profile].layout),
    medium: profiles[profile].medium,
    maintenance: async () => [],
    health: async () => [],
    configuration: { files: [], executables: [], problems: [] },
  }));
}
