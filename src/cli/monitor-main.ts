import { oneLine, ProblemError } from "../base/problem.ts";
import { exitCodes } from "../run/exit-codes.ts";
import { profileSetup, watchedSetup } from "../run/load-setup.ts";
import { processTerminal } from "../run/terminal.ts";
import { monitor } from "./commands/monitor-command.ts";

// What `guestos-boot monitor` does, in an executable, without the rest of the program: that stays out of its memory (tools/start.ts).
const terminal = processTerminal();
void watchedSetup(profileSetup)
  .then(async (watched) => exitCodes[await monitor(watched, {}, terminal)].code)
  .catch((error: unknown) => {
    if (!(error instanceof ProblemError)) throw error;
    terminal.complain(`guestos-boot: ${oneLine(error.problem)}`);
    return exitCodes.refused.code;
  })
  .then((code) => process.exit(code));
