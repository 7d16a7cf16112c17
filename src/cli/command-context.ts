import type { ProfileName } from "../profiles/profiles.ts";
import type { ExitName } from "../run/exit-codes.ts";
import type { Setup } from "../run/setup.ts";
import type { Terminal } from "../run/terminal.ts";

/** What a command is given besides its arguments. */
export interface Surroundings {
  readonly terminal: Terminal;
  /** What is run and where: of that profile, or of this machine's own. */
  readonly setup: (profile?: ProfileName) => Promise<Setup>;
  /** Told how the command ended. */
  readonly end: (exit: ExitName) => void;
  /** What may lie in ic-bootstrap.tar; each is an option of config-image. */
  readonly entries: readonly string[];
}
