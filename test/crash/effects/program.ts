/** guestos-boot itself, as it is, on a machine below a folder, with what it does to that machine hooked (target.ts). */
import { hookFileSteps } from "./file-steps.ts";
import { installStandIns } from "./stand-ins.ts";
import type { Booted } from "./command-line.ts";
import { ENVIRONMENT } from "./target.ts";

installStandIns();
hookFileSteps();
const { guestosBootOn } = await import("./command-line.ts");
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const { [ENVIRONMENT.root]: root = "", [ENVIRONMENT.profile]: profile } = process.env;
process.exit(await guestosBootOn({ root, profile: profile as Booted["profile"] }, process.argv.slice(2), print));
