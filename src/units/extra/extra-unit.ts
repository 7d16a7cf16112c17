import { activate, conflict, provision } from "../../boot/unit.ts";
import type { ExtraUnit } from "../../config/boot-config.ts";
import type { Host } from "../../system/host.ts";
import { requireRootsExecutable } from "../../system/files/owned-by-root.ts";
import { parseAnswer } from "./extra-answer.ts";
import { type GuestUnit, unit } from "../machine.ts";

/** A description of an extra unit, with the units that it names resolved. */
export interface ExtraUnitSpec extends Omit<ExtraUnit, "stage" | "requires" | "after"> {
  readonly name: string;
  readonly executable: string;
  readonly requires: readonly GuestUnit[];
  readonly after: readonly GuestUnit[];
}

/** Milliseconds for `EXECUTABLE plan`. It is called at each boot, by `guestos-boot plan`, and by the monitor once an hour. */
const PLAN_TIMEOUT = 10_000;
/** Bytes: more output than any reader needs. */
const MAX_OUTPUT = 64 * 1024;

/**
 * A unit that an executable implements, so that an image can have a step of its own without a rebuild of this program
 * (docs/extra-units.md). It is run as `EXECUTABLE plan`, which inspects and changes nothing, and as `EXECUTABLE apply ID`.
 *
 * A conflict comes from the executable itself. A file that any account but root could have written is not run.
 */
export function extraUnit({ name, executable, timeout, ...declared }: ExtraUnitSpec): GuestUnit {
  const milliseconds = timeout * 1000;
  const ask = async (host: Host, limit: number, ...args: readonly string[]): Promise<string> => {
    await requireRootsExecutable(host, executable);
    const { stdout } = await host.run({
      program: executable,
      args,
      timeout: limit,
      maxOutput: MAX_OUTPUT,
      cwd: "/",
      env: { GUESTOS_UNIT: name },
      todo: `run it by hand: ${[executable, ...args].join(" ")}`,
    });
    return stdout;
  };
  return unit({
    ...declared,
    name,
    timeout: milliseconds,
    async plan({ host }) {
      const answer = parseAnswer(await ask(host, Math.min(PLAN_TIMEOUT, milliseconds), "plan"), executable);
      if (answer.conflict !== undefined) return conflict({ code: "extra-unit-conflict", ...answer.conflict });
      return (answer.actions ?? []).map(({ id, description, effect }) =>
        (effect === "provision" ? provision : activate)(description, async () => void (await ask(host, milliseconds, "apply", id))),
      );
    },
  });
}
