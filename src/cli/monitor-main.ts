import { layouts } from "../config/layout/layouts.ts";
import { readProfileName } from "../config/layout/profile-name.ts";
import { systemHost } from "../system/host.ts";
import { oneLine, ProblemError } from "../base/problem.ts";
import { quickUnits } from "../profiles/quick-units.ts";
import { exitCodes } from "../run/exit-codes.ts";
import { monitor } from "./commands/monitor-command.ts";
import { processTerminal } from "../run/terminal.ts";

// Only where there is no configuration file. What `guestos-boot monitor` does, in an executable, without the rest of the program: that stays out of its memory (tools/start.ts).
const terminal = processTerminal();
void readProfileName(systemHost({ signal: new AbortController().signal }))
  .then(
    async (profile) =>
      exitCodes[await monitor({ profile, layout: layouts[profile], isOn: () => true, quick: quickUnits[profile] }, {}, terminal)].code,
  )
  .catch((error: unknown) => {
    if (!(error instanceof ProblemError)) throw error;
    terminal.complain(`guestos-boot: ${oneLine(error.problem)}`);
    return exitCodes.refused.code;
  })
  .then((code) => process.exit(code));
