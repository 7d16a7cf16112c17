import { main } from "../../../src/cli/program.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { testLayout } from "../../support/test-layout.ts";
import { stayBelow } from "./bounds.ts";
import { chain } from "./chain.ts";

/** Runs a command line on the machine below that folder. @returns its exit status */
export async function guestosBootOn(root: string, args: readonly string[], print: (text: string) => void): Promise<number> {
  stayBelow(root);
  return main(args, { print, complain: print, colour: false }, async () => ({
    profile: "guestos",
    chain,
    layout: testLayout(root),
    medium: profiles.guestos.medium,
    maintenance: async () => [],
    configuration: { files: [], executables: [], problems: [] },
  }));
}
