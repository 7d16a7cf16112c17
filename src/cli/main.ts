import { translatedArguments } from "./manageboot.ts";
import { version } from "./version.ts";

// argv0 is the name that was typed, also where the program is one executable.
const args = translatedArguments(process.argv0, process.argv.slice(2));
// The commonest questions of scripts must cost no more than Node itself: nothing else is loaded for this one.
if (args.length === 1 && args[0] === "--version") {
  process.stdout.write(`guestos-boot ${version}\n`);
} else {
  void start();
}

async function start(): Promise<void> {
  const [{ main }, { processTerminal }] = await Promise.all([import("./program.ts"), import("./terminal.ts")]);
  const code = await main(args, processTerminal());
  // Not left to the event loop: a unit that did not hear the order to stop must not keep the program alive.
  process.exit(code);
}
