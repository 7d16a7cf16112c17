import { CommandError } from "./command.ts";
import type { Host } from "./host.ts";
import { ProblemError } from "../base/problem.ts";

/** Long enough for DNS: nginx resolves names in a configuration while it reads it. */
const TIMEOUT = 30_000;

/**
 * Checks that nginx would accept that configuration, with every file and name in it. Starts no server.
 *
 * @throws ProblemError with file and line where nginx names them
 */
export async function checkNginxConf(host: Host, file: string): Promise<void> {
  // Without -e, it first opens a log of its own below /var.
  const args = ["-t", "-q", "-e", "stderr", "-c", file];
  try {
    await host.run({ program: "nginx", args, timeout: TIMEOUT, todo: `nginx ${args.join(" ")}` });
  } catch (error) {
    if (!(error instanceof CommandError) || error.ending.kind !== "exited") throw error;
    throw parseNginxError(error.stderr, file) ?? error;
  }
}

/**
 * The first mistake that nginx names, as `… [emerg] 7#7: unknown directive "x" in /etc/nginx/nginx.conf:3`; `undefined` when it names none.
 */
export function parseNginxError(stderr: string, file: string): ProblemError | undefined {
  const [, words = "", place, line] = /\[(?:emerg|alert|crit)\](?: \d+#\d+:)? (.*?)(?: in (\/\S+):(\d+))?$/m.exec(stderr) ?? [];
  if (words === "") return undefined;
  return new ProblemError({
    code: "nginx-conf-refused",
    what: "nginx refuses its configuration; it keeps the present one",
    where: line === undefined ? { file } : { file: place ?? file, line: Number(line) },
    found: words,
    todo: `nginx -t -e stderr -c ${file}`,
  });
}
