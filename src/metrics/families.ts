/** A Prometheus metric: the common part of its samples. */
export interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter";
  /** The unit of the value. `boolean`: 1 for yes, 0 for no. */
  readonly unit: "boolean" | "seconds" | "unix seconds" | "bytes" | "number" | "code";
  /** Labels that a sample may have, with the meaning of their values. */
  readonly labels: Readonly<Record<string, string>>;
  readonly help: string;
}

const UNIT = { unit: "name of a unit (`guestos-boot list`)" };
const CODE = { code: "which problem ([codes.md](codes.md))" };
const RUN = { run: "`boot`: the boot; `early`, `late`: a half of it; `manual`: the last other run that an operator started" };
const SLOT = { slot: "`A`, `B`" };

/**
 * All metrics. A test compares them with docs/metrics.md. Those under "Kept from IC-OS" there have the names, labels and
 * values that dashboards of GuestOS nodes already use.
 */
export const families = {
  version: {
    name: "guestos_version",
    type: "gauge",
    unit: "boolean",
    labels: { version: "that of the image, or `unknown`" },
    help: "Version of the running image; 0 when it cannot be read",
  },
  bootAction: {
    name: "guestos_boot_action",
    type: "gauge",
    unit: "code",
    labels: {
      successful_boot: "`true`: nothing but a boot has happened (value 0)",
      written_var: "`true`: an upgrade is installed and not committed (value 1)",
      committed: "`true`: an upgrade is committed, the reboot is to come (value 1)",
      next_boot: "`A`, `B`: on trial; where an unconfirmed system would fall back to (value 2)",
      confirm_boot: "device of the boot partition: the system was confirmed in this boot (value 1)",
      version: "the running version, with `next_boot` and `confirm_boot`",
    },
    help: "What was last done to the boot slots, as one sample",
  },
  bootStable: {
    name: "guestos_boot_stable",
    type: "gauge",
    unit: "boolean",
    labels: {},
    help: "Whether no upgrade is waiting for its reboot or its confirmation",
  },
  operatorKey: {
    name: "guestos_node_operator_private_key_exists",
    type: "gauge",
    unit: "boolean",
    labels: {},
    help: "Whether a node operator's private key was injected, which tells how the node was deployed",
  },

  bootInfo: {
    name: "guestos_boot_info",
    type: "gauge",
    unit: "boolean",
    labels: { boot_id: "the kernel's id of this boot", ...SLOT, version: "that of the image" },
    help: "Which boot this is; always 1",
  },
  bootOutcome: {
    name: "guestos_boot_outcome",
    type: "gauge",
    unit: "boolean",
    labels: { outcome: "`done`, `degraded`, `failed`, `unfinished`: exactly one of them is 1" },
    help: "How this boot's chain ended, all runs taken together",
  },
  bootStart: {
    name: "guestos_boot_start_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: {},
    help: "When the first run of this boot started",
  },
  bootDuration: {
    name: "guestos_boot_duration_seconds",
    type: "gauge",
    unit: "seconds",
    labels: {},
    help: "How long the runs of this boot itself took together",
  },
  runDuration: {
    name: "guestos_run_duration_seconds",
    type: "gauge",
    unit: "seconds",
    labels: RUN,
    help: "How long a run of the chain took",
  },
  runEndUptime: {
    name: "guestos_run_end_uptime_seconds",
    type: "gauge",
    unit: "seconds",
    labels: RUN,
    help: "How long after the start of the kernel a run of the chain ended",
  },
  runPeakMemory: {
    name: "guestos_run_peak_memory_bytes",
    type: "gauge",
    unit: "bytes",
    labels: RUN,
    help: "The most memory that guestos-boot itself used in a run, without its tools",
  },
  criticalPath: {
    name: "guestos_run_critical_path_seconds",
    type: "gauge",
    unit: "seconds",
    labels: RUN,
    help: "How long the units took that decided when the run ended",
  },
  criticalPathUnit: {
    name: "guestos_run_critical_path_unit_seconds",
    type: "gauge",
    unit: "seconds",
    labels: { ...RUN, ...UNIT },
    help: "How long each unit took that decided when the run ended",
  },

  unitResult: {
    name: "guestos_unit_result",
    type: "gauge",
    unit: "boolean",
    labels: {
      ...UNIT,
      result: "`unchanged`, `changed`, `degraded`, `failed`, `skipped`, `unfinished`: exactly one of them is 1",
    },
    help: "How a unit ended in this boot",
  },
  unitFailureInfo: {
    name: "guestos_unit_failure_info",
    type: "gauge",
    unit: "boolean",
    labels: { ...UNIT, ...CODE },
    help: "Which problem a unit has that failed or is degraded in this boot; always 1",
  },
  unitDuration: {
    name: "guestos_unit_duration_seconds",
    type: "gauge",
    unit: "seconds",
    labels: UNIT,
    help: "How long a unit took in the run that its result is of",
  },
  unitToolSeconds: {
    name: "guestos_unit_tool_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: UNIT,
    help: "How long the tools of a unit ran in this boot, each counted separately",
  },
  unitToolRuns: {
    name: "guestos_unit_tool_runs_total",
    type: "counter",
    unit: "number",
    labels: UNIT,
    help: "How many tools a unit ran in this boot",
  },
  unitRetries: {
    name: "guestos_unit_retries_total",
    type: "counter",
    unit: "number",
    labels: UNIT,
    help: "How often a unit was tried again in this boot",
  },
  unitWarnings: {
    name: "guestos_unit_warnings",
    type: "gauge",
    unit: "number",
    labels: UNIT,
    help: "How many different warnings a unit gave in this boot",
  },

  slotState: {
    name: "guestos_slot_state",
    type: "gauge",
    unit: "boolean",
    labels: {
      ...SLOT,
      state: "`incomplete`, `installed`, `proven`, `failed`, `nothing` (known of it), `damaged` (its record): exactly one of them is 1",
    },
    help: "What is known of a slot's content",
  },
  slotVersion: {
    name: "guestos_slot_version",
    type: "gauge",
    unit: "boolean",
    labels: { ...SLOT, version: "that of the image in the slot" },
    help: "The version in a slot, where it is known; always 1",
  },
  slotRunning: {
    name: "guestos_slot_running",
    type: "gauge",
    unit: "boolean",
    labels: SLOT,
    help: "Whether the running system is that of the slot",
  },
  slotNext: {
    name: "guestos_slot_next_boot",
    type: "gauge",
    unit: "boolean",
    labels: SLOT,
    help: "Whether the boot loader would start the slot's system now",
  },
  bootCycle: {
    name: "guestos_boot_cycle",
    type: "gauge",
    unit: "boolean",
    labels: { cycle: "`install`, `stable`, `first_boot`, `failsafe_check`: exactly one of them is 1" },
    help: "The boot loader's boot_cycle",
  },
  grubenvSound: {
    name: "guestos_grubenv_sound",
    type: "gauge",
    unit: "boolean",
    labels: {},
    help: "Whether the boot loader's environment block is as guestos-boot writes it",
  },
  refusedImages: {
    name: "guestos_upgrade_refused_images",
    type: "gauge",
    unit: "number",
    labels: {},
    help: "How many images are not to be installed again",
  },
  intents: {
    name: "guestos_intents",
    type: "gauge",
    unit: "number",
    labels: { phase: "`begun`, `complete`, `unreadable`" },
    help: "How many intents to make a device or a file system are on the config partition",
  },

  monitorStart: {
    name: "guestos_monitor_start_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: {},
    help: "When the monitor started",
  },
  monitorWritten: {
    name: "guestos_monitor_state_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: {},
    help: "When the monitor last wrote what it knows",
  },
  unitDrift: {
    name: "guestos_unit_drift",
    type: "gauge",
    unit: "number",
    labels: UNIT,
    help: "How many things of a watched unit are missing",
  },
  unitProblem: {
    name: "guestos_unit_problem",
    type: "gauge",
    unit: "boolean",
    labels: UNIT,
    help: "Whether a watched unit could not be repaired, or not be inspected",
  },
  unitProblemInfo: {
    name: "guestos_unit_problem_info",
    type: "gauge",
    unit: "boolean",
    labels: { ...UNIT, ...CODE },
    help: "Which problem a watched unit has, while it has one; always 1",
  },
  unitRepairs: {
    name: "guestos_unit_repairs_total",
    type: "counter",
    unit: "number",
    labels: UNIT,
    help: "How often something of a watched unit was missing and is there again, since the monitor started",
  },
  unitRepairRetries: {
    name: "guestos_unit_repair_retries_total",
    type: "counter",
    unit: "number",
    labels: UNIT,
    help: "How often repairing a watched unit failed and was tried again, since the monitor started",
  },
  unitInspected: {
    name: "guestos_unit_last_inspection_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: UNIT,
    help: "When the monitor last inspected a unit",
  },
  unitRepaired: {
    name: "guestos_unit_last_repair_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: UNIT,
    help: "When the monitor last repaired a unit",
  },
  rulesetLoaded: {
    name: "guestos_ruleset_last_load_timestamp_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: {},
    help: "When the firewall's rules were last loaded, by a boot or by the monitor",
  },

  sourceReadable: {
    name: "guestos_metrics_source_readable",
    type: "gauge",
    unit: "boolean",
    labels: { source: "`record`, `slots`, `intents`, `data`, `monitor`: what the metrics are taken from" },
    help: "Whether what the metrics are taken from could be read; its metrics are absent when not",
  },

  processMemory: {
    name: "process_resident_memory_bytes",
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Resident memory of the monitor",
  },
  processCpu: {
    name: "process_cpu_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: {},
    help: "CPU time that the monitor used, user and system",
  },
  processFiles: {
    name: "process_open_fds",
    type: "gauge",
    unit: "number",
    labels: {},
    help: "Open file descriptors of the monitor",
  },
  processStart: {
    name: "process_start_time_seconds",
    type: "gauge",
    unit: "unix seconds",
    labels: {},
    help: "When the monitor's process started",
  },
} as const satisfies Readonly<Record<string, Family>>;

/** One value of a metric. */
export interface Sample {
  readonly family: Family;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Any of the family's labels. */
type LabelsOf<F extends Family> = { readonly [Name in keyof F["labels"]]?: string | undefined };

export function sample<F extends Family>(family: F, value: number | boolean, labels?: LabelsOf<F>): Sample {
  const given = Object.entries(labels ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  // The clock has microseconds; digits beyond them are artefacts of subtraction.
  return { family, labels: Object.fromEntries(given), value: Math.round(Number(value) * 1e6) / 1e6 };
}

/** One sample per value: 1 for `held`, 0 for the others. */
export function oneHot<F extends Family>(
  family: F,
  label: keyof F["labels"] & string,
  values: readonly string[],
  held: string,
  labels?: LabelsOf<F>,
): readonly Sample[] {
  return values.map((value) => {
    const { labels: others } = sample(family, 0, labels);
    return { family, labels: { ...others, [label]: value }, value: Number(value === held) };
  });
}
