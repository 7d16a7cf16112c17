import { ProblemError } from "../../base/problem.ts";
import { foreignText } from "../../base/foreign-words.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import { ANY_STATUS, parseToolJson } from "../tool-json.ts";

const Answer = z.object({
  smartctl: z.object({
    exit_status: z._default(z.number(), 0),
    messages: z._default(z.array(z.object({ string: z.string() })), []),
  }),
  smart_status: z.optional(z.object({ passed: z.optional(z.boolean()) })),
});

/** smartctl(8), "EXIT STATUS": SMART status check returned "disk failing". */
const FAILING = 8;

/**
 * Whether a drive says of itself that it is failing.
 *
 * @throws CommandError, or ProblemError where the drive does not say: that is not the same as well
 */
export async function isFailing(host: Host, device: string): Promise<boolean> {
  // Its exit status is a mask of bits, and some of them are set beside a good answer.
  const { stdout } = await host.run({
    program: "smartctl",
    args: ["--json", "--health", device],
    okStatuses: ANY_STATUS,
    timeout: SMART_TIME,
    todo: "install it: apt install smartmontools",
  });
  return failingIn(stdout, device);
}

/** Milliseconds. A drive that is dying may not answer at all. */
const SMART_TIME = 30_000;

/** The same, from its output. @throws ProblemError as above */
function failingIn(output: string, device: string): boolean {
  const { smartctl, smart_status: status } = parseToolJson("smartctl", output, Answer);
  if (status?.passed === false || (smartctl.exit_status & FAILING) !== 0) return true;
  if (status?.passed === true) return false;
  throw new ProblemError({
    code: "disk-health-not-known",
    what: `the drive ${device} does not say whether it is well`,
    found: foreignText(smartctl.messages.map(({ string }) => string).join("; ")) || `exit status ${smartctl.exit_status}`,
    expected: "an answer of SMART",
  });
}
