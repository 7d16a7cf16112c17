import type { ProfileName } from "../profiles/profiles.ts";
import type { ExitName } from "../run/exit-codes.ts";
import type { Setup } from "../run/setup.ts";
import type { Terminal } from "../run/terminal.ts";

/** What a command gets besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Loads the setup: of that profile, or of this machine's own. */
  readonly setup: (profile?: ProfileName) => Promise<Setup>;
  /** Called with the way in which the command ended. */
  readonly end: (exit: ExitName) => void;
  /** The possible entries of ic-bootstrap.tar; each is an option of config-image. */
  readonly entries: readonly string[];
}
