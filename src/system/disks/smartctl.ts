import { ProblemError } from "../../base/problem.ts";
import { foreignText } from "../../base/foreign-words.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import { ANY_STATUS, parseToolJson } from "../tool-json.ts";

/** What an NVMe drive counts (NVM Express Base Specification, "SMART / Health Information"). smartctl leaves out what a drive does not have. */
const NvmeLog = z.object({
  critical_warning: z.optional(z.number()),
  /** Degrees Celsius. */
  temperature: z.optional(z.number()),
  /** The next three are percentages; what is used may be more than 100. */
  available_spare: z.optional(z.number()),
  available_spare_threshold: z.optional(z.number()),
  percentage_used: z.optional(z.number()),
  /** Thousands of 512 bytes. */
  data_units_read: z.optional(z.number()),
  data_units_written: z.optional(z.number()),
  host_reads: z.optional(z.number()),
  host_writes: z.optional(z.number()),
  /** Minutes. */
  controller_busy_time: z.optional(z.number()),
  power_cycles: z.optional(z.number()),
  power_on_hours: z.optional(z.number()),
  media_errors: z.optional(z.number()),
  num_err_log_entries: z.optional(z.number()),
});
export type NvmeLog = z.infer<typeof NvmeLog>;

/** What a drive says of itself. */
export interface DriveHealth {
  readonly failing: boolean;
  /** Of an NVMe drive. */
  readonly nvme: NvmeLog | undefined;
}

const Answer = z.object({
  smartctl: z.object({
    exit_status: z._default(z.number(), 0),
    messages: z._default(z.array(z.object({ string: z.string() })), []),
  }),
  smart_status: z.optional(z.object({ passed: z.optional(z.boolean()) })),
  nvme_smart_health_information_log: z.optional(NvmeLog),
});

/** smartctl(8), "EXIT STATUS": SMART status check returned "disk failing". */
const FAILING = 8;

/**
 * Whether a drive says of itself that it is failing.
 *
 * @throws CommandError, or ProblemError where the drive does not say: that is not the same as well
 */
export async function isFailing(host: Host, device: string): Promise<boolean> {
  return (await healthOf(host, device, ["--health"])).failing;
}

/** The same, with what the drive counts. @throws CommandError, or ProblemError, as above */
export async function driveHealth(host: Host, device: string): Promise<DriveHealth> {
  return healthOf(host, device, ["--health", "--attributes"]);
}

async function healthOf(host: Host, device: string, wanted: readonly string[]): Promise<DriveHealth> {
  // Its exit status is a mask of bits, and some of them are set beside a good answer.
  const { stdout } = await host.run({
    program: "smartctl",
    args: ["--json", ...wanted, device],
    okStatuses: ANY_STATUS,
    timeout: SMART_TIME,
    todo: "install it: apt install smartmontools",
  });
  return healthIn(stdout, device);
}

/** Milliseconds. A drive that is dying may not answer at all. */
const SMART_TIME = 30_000;

/** The same, from its output. @throws ProblemError as above */
function healthIn(output: string, device: string): DriveHealth {
  const { smartctl, smart_status: status, nvme_smart_health_information_log: nvme } = parseToolJson("smartctl", output, Answer);
  if (status?.passed === false || (smartctl.exit_status & FAILING) !== 0) return { failing: true, nvme };
  if (status?.passed === true) return { failing: false, nvme };
  throw new ProblemError({
    code: "disk-health-not-known",
    what: `the drive ${device} does not say whether it is well`,
    found: foreignText(smartctl.messages.map(({ string }) => string).join("; ")) || `exit status ${smartctl.exit_status}`,
    expected: "an answer of SMART",
  });
}
