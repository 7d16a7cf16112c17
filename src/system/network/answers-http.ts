import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";

/** Whether a server answers over HTTP, with any status and any certificate, as installers of IC-OS ask. */
export async function answersHttp(host: Host, url: string): Promise<boolean> {
  const args = ["--insecure", "--head", "--silent", "--output", "/dev/null", "--connect-timeout", "3", "--max-time", "15", "--", url];
  try {
    await host.run({ program: "curl", args, timeout: 20_000 });
    return true;
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof CommandError) return false;
    throw error;
  }
}
