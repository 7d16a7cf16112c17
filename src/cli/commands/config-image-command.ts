import type { MediumContents } from "../../medium/medium-contents.ts";
import { buildConfigImage } from "../../medium/config-image.ts";
import { systemHost } from "../../system/host.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { untilStopped } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface ConfigImageFlags {
  readonly out: string;
  readonly folder?: string;
  /** Path by name in the tar. */
  readonly entries: Readonly<Record<string, string>>;
  readonly json: boolean;
}

/**
 * The host's part of a first boot: builds the medium that the chain reads.
 *
 * @throws ProblemError for content that a node would refuse or ignore; nothing is written then
 */
export async function configImage(
  contents: MediumContents,
  { out, folder, entries, json }: ConfigImageFlags,
  terminal: Terminal,
): Promise<ExitName> {
  if (folder === undefined && Object.keys(entries).length === 0) {
    throw new ExitError("usage", {
      code: "nothing-for-the-medium",
      what: "there is nothing to put on the medium",
      todo: "name a folder, or files: see guestos-boot help config-image",
    });
  }
  return untilStopped(async ({ signal }) => {
    const request = { contents, out, entries, ...(folder === undefined ? {} : { folder }) };
    const inspection = await buildConfigImage(systemHost({ signal }), request);
    const config = [...inspection.config.keys()];
    const data = inspection.data.map(({ target }) => target);
    if (json) {
      printJson(terminal, { out, tarSha256: inspection.sha256, config, data, warnings: inspection.warnings });
    } else {
      for (const warning of inspection.warnings) terminal.complain(`warning: ${warning}`);
      for (const name of [...config, ...data]) terminal.print(name);
      terminal.print(`${out}: ic-bootstrap.tar has sha256 ${inspection.sha256}`);
    }
    return "ok";
  });
}
