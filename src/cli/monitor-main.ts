import { guestosLayout } from "../config/layout.ts";
import { exitCodes } from "./exit-codes.ts";
import { monitor } from "./monitor-command.ts";
import { processTerminal } from "./terminal.ts";

// Only where there is no configuration file. What `guestos-boot monitor` does, in an executable, without the rest of the program: that stays out of its memory (tools/start.ts).
void monitor(guestosLayout, { isOn: () => true }, processTerminal()).then((exit) => process.exit(exitCodes[exit].code));
