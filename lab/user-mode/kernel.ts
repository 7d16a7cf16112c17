import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { proxyVariables } from "../../image/debian.ts";
import { optionsFrom } from "../../image/options.ts";
import { fingerprint } from "../../image/tools.ts";
import { tool } from "../tool.ts";

/** Of trixie-backports. 6.16 and later can do without ptrace, which takes a third less. */
const PACKAGE = "linux-source-7.3_7.3.4-1~bpo13+1_all.deb";
const SHA256 = "703e369ddd4cce971452f5a593ee55df3a5c10c83caf0fa0df039633ed181ee3";
const CONFIG = join(import.meta.dirname, "kernel.config");
const SCRIPT = join(import.meta.dirname, "build-kernel.bash");
/** On two busy cores; also for the wait until another clone has built it. */
const TIMEOUT = 3 * 3_600_000;

/**
 * The kernel of the user-mode machine, built when it is not there yet: 14 minutes of one core. It is kept in the user's cache folder under a
 * key of its source and configuration, so all clones share it.
 *
 * @returns its path
 * @throws CommandError when its source cannot be had, or the build fails
 */
export async function userModeKernel(): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "guestos-boot", "user-mode-linux");
  const kernel = join(folder, `linux-${await fingerprint([SHA256], [CONFIG, SCRIPT])}`);
  if (existsSync(kernel)) return kernel;
  const { mirror } = await optionsFrom(process.env);
  await mkdir(folder, { recursive: true });
  console.error(`building the kernel of user-mode machines from ${PACKAGE}, once: 14 minutes of one core`);
  const build = ["bash", SCRIPT, kernel, `${mirror}/pool/main/l/linux/${PACKAGE}`, SHA256, CONFIG];
  await tool("flock", [join(folder, "lock"), ...build], {
    timeout: TIMEOUT,
    env: proxyVariables(process.env),
    todo: `GUESTOS_MIRROR names a Debian archive that has ${PACKAGE}; tools/setup.sh user-mode installs what the build needs`,
  });
  return kernel;
}
