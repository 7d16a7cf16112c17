import { calledByOrchestrator, translatedArguments } from "./manageboot.ts";
import { answersVersion } from "./version.ts";

// argv0 is the name that was typed, also where the program is one executable.
const args = translatedArguments(process.argv0, process.argv.slice(2));
// An executable has checked this already (tools/start.ts), before it loaded this file.
if (!answersVersion(args)) void start();

async function start(): Promise<void> {
  const called = calledByOrchestrator(process.argv0);
  if (called !== undefined) {
    // The orchestrator calls these names by its own account, and expects them to become root by themselves.
    const [{ goThroughSudo }, { systemHost }] = await Promise.all([
      import("../system/processes/through-sudo.ts"),
      import("../system/host.ts"),
    ]);
    await goThroughSudo(systemHost(), called, process.argv.slice(2));
  }
  const [{ main }, { processTerminal }] = await Promise.all([import("./program.ts"), import("../run/terminal.ts")]);
  const code = await main(args, processTerminal());
  // Not left to the event loop: a unit that ignored the order to stop must not keep the program alive.
  process.exit(code);
}
