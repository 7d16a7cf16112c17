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
const BOOT_ACTION = {
  successful_boot: "`true`: nothing but a boot has happened (value 0)",
  written_var: "`true`: an upgrade is installed and not committed (value 1)",
  committed: "`true`: an upgrade is committed, the reboot is to come (value 1)",
  next_boot: "`A`, `B`: on trial; where an unconfirmed system would fall back to (value 2)",
  confirm_boot: "device of the boot partition: the system was confirmed in this boot (value 1)",
  version: "the running version, with `next_boot` and `confirm_boot`",
};
const DRIVE = { device: "name of the drive: `nvme0n1`" };
const SLOT = { slot: "`A`, `B`" };

/** @param labels `{}` for none */
function gauge<const L extends Family["labels"]>(name: string, unit: Family["unit"], help: string, labels: L) {
  return { name, type: "gauge" as const, unit, labels, help };
}

function counter<const L extends Family["labels"]>(name: string, unit: Family["unit"], help: string, labels: L) {
  return { ...gauge(name, unit, help, labels), type: "counter" as const };
}

/**
 * All metrics. A test compares them with docs/metrics.md. Those under "Kept from IC-OS" there have the names, labels and values that
 * dashboards of GuestOS nodes already use.
 */
export const families = {
  version: gauge("guestos_version", "boolean", "Version of the running image; 0 when it cannot be read", {
    version: "that of the image, or `unknown`",
  }),
  configVersion: gauge(
    "guestos_config_version",
    "boolean",
    "Version of the config.json that is in force; absent where the host hands over none",
    {
      version: "its `config_version`, or `unknown`",
    },
  ),
  bootAction: gauge("guestos_boot_action", "code", "What was last done to the boot slots, as one sample", BOOT_ACTION),
  bootStable: gauge("guestos_boot_stable", "boolean", "Whether no upgrade is waiting for its reboot or its confirmation", {}),
  operatorKey: gauge(
    "guestos_node_operator_private_key_exists",
    "boolean",
    "Whether a node operator's private key was injected, which tells how the node was deployed",
    {},
  ),

  teeConfigured: gauge(
    "guestos_tee_configured",
    "boolean",
    "Whether the config.json in force asks for a trusted execution environment; absent where the host hands over none",
    {},
  ),
  teeActive: gauge("guestos_tee_active", "boolean", "Whether this is a confidential virtual machine, according to systemd", {}),
  bootKernel: gauge("guestos_boot_kernel_seconds", "seconds", "From the start of the kernel to that of systemd", {}),
  bootUserspace: gauge(
    "guestos_boot_userspace_seconds",
    "seconds",
    "From the start of systemd until it had finished; absent until then",
    {},
  ),
  bootTotal: gauge(
    "guestos_boot_total_seconds",
    "seconds",
    "From the start of the kernel until systemd had finished; absent until then",
    {},
  ),
  bootService: gauge(
    "guestos_boot_service_seconds",
    "seconds",
    "How long a service took to start: the ten slowest ones; absent until systemd had finished",
    { unit: "systemd's name of the service" },
  ),
  taintedVar: gauge("tainted_var", "boolean", "Whether /var could not be mounted in this boot", {}),
  setupHostname: gauge(
    "setup_hostname",
    "boolean",
    "Whether the name of a node whose host hands over config.json has a node id in it, which it never has: 0",
    {},
  ),

  bootInfo: gauge("guestos_boot_info", "boolean", "Which boot this is; always 1", {
    boot_id: "the kernel's id of this boot",
    ...SLOT,
    version: "that of the image",
  }),
  bootOutcome: gauge("guestos_boot_outcome", "boolean", "How this boot's chain ended, all runs taken together", {
    outcome: "`done`, `degraded`, `failed`, `unfinished`: exactly one of them is 1",
  }),
  bootStart: gauge("guestos_boot_start_timestamp_seconds", "unix seconds", "When the first run of this boot started", {}),
  bootDuration: gauge("guestos_boot_duration_seconds", "seconds", "How long the runs of this boot itself took together", {}),
  runDuration: gauge("guestos_run_duration_seconds", "seconds", "How long a run of the chain took", RUN),
  runEndUptime: gauge("guestos_run_end_uptime_seconds", "seconds", "How long after the start of the kernel a run of the chain ended", RUN),
  runPeakMemory: gauge(
    "guestos_run_peak_memory_bytes",
    "bytes",
    "The most memory that guestos-boot itself used in a run, without its tools",
    RUN,
  ),
  criticalPath: gauge("guestos_run_critical_path_seconds", "seconds", "How long the units took that decided when the run ended", RUN),
  criticalPathUnit: gauge("guestos_run_critical_path_unit_seconds", "seconds", "How long each unit took that decided when the run ended", {
    ...RUN,
    ...UNIT,
  }),

  unitResult: gauge("guestos_unit_result", "boolean", "How a unit ended in this boot", {
    ...UNIT,
    result: "`unchanged`, `changed`, `degraded`, `failed`, `skipped`, `unfinished`: exactly one of them is 1",
  }),
  unitFailureInfo: gauge(
    "guestos_unit_failure_info",
    "boolean",
    "Which problem a unit has that failed or is degraded in this boot; always 1",
    { ...UNIT, ...CODE },
  ),
  unitDuration: gauge("guestos_unit_duration_seconds", "seconds", "How long a unit took in the run that its result is of", UNIT),
  unitToolSeconds: counter(
    "guestos_unit_tool_seconds_total",
    "seconds",
    "How long the tools of a unit ran in this boot, each counted separately",
    UNIT,
  ),
  unitToolRuns: counter("guestos_unit_tool_runs_total", "number", "How many tools a unit ran in this boot", UNIT),
  unitRetries: counter("guestos_unit_retries_total", "number", "How often a unit was tried again in this boot", UNIT),
  unitWarnings: gauge("guestos_unit_warnings", "number", "How many different warnings a unit gave in this boot", UNIT),

  slotState: gauge("guestos_slot_state", "boolean", "What is known of a slot's content", {
    ...SLOT,
    state: "`incomplete`, `installed`, `proven`, `failed`, `nothing` (known of it), `damaged` (its record): exactly one of them is 1",
  }),
  slotVersion: gauge("guestos_slot_version", "boolean", "The version in a slot, where it is known; always 1", {
    ...SLOT,
    version: "that of the image in the slot",
  }),
  slotRunning: gauge("guestos_slot_running", "boolean", "Whether the running system is that of the slot", SLOT),
  slotNext: gauge("guestos_slot_next_boot", "boolean", "Whether the boot loader would start the slot's system now", SLOT),
  bootCycle: gauge("guestos_boot_cycle", "boolean", "The boot loader's boot_cycle", {
    cycle: "`install`, `stable`, `first_boot`, `failsafe_check`: exactly one of them is 1",
  }),
  grubenvSound: gauge("guestos_grubenv_sound", "boolean", "Whether the boot loader's environment block is as guestos-boot writes it", {}),
  refusedImages: gauge("guestos_upgrade_refused_images", "number", "How many images are not to be installed again", {}),
  intents: gauge("guestos_intents", "number", "How many intents to make a device or a file system are on the config partition", {
    phase: "`begun`, `complete`, `unreadable`",
  }),

  monitorStart: gauge("guestos_monitor_start_timestamp_seconds", "unix seconds", "When the monitor started", {}),
  monitorWritten: gauge("guestos_monitor_state_timestamp_seconds", "unix seconds", "When the monitor last wrote what it knows", {}),
  unitDrift: gauge("guestos_unit_drift", "number", "How many things of a watched unit are missing", UNIT),
  unitProblem: gauge("guestos_unit_problem", "boolean", "Whether a watched unit could not be repaired, or not be inspected", UNIT),
  unitProblemInfo: gauge("guestos_unit_problem_info", "boolean", "Which problem a watched unit has, while it has one; always 1", {
    ...UNIT,
    ...CODE,
  }),
  unitRepairs: counter(
    "guestos_unit_repairs_total",
    "number",
    "How often something of a watched unit was missing and is there again, since the monitor started",
    UNIT,
  ),
  unitRepairRetries: counter(
    "guestos_unit_repair_retries_total",
    "number",
    "How often repairing a watched unit failed and was tried again, since the monitor started",
    UNIT,
  ),
  unitInspected: gauge("guestos_unit_last_inspection_timestamp_seconds", "unix seconds", "When the monitor last inspected a unit", UNIT),
  unitRepaired: gauge("guestos_unit_last_repair_timestamp_seconds", "unix seconds", "When the monitor last repaired a unit", UNIT),
  rulesetLoaded: gauge(
    "guestos_ruleset_last_load_timestamp_seconds",
    "unix seconds",
    "When the firewall's rules were last loaded, by a boot or by the monitor",
    {},
  ),

  sourceReadable: gauge(
    "guestos_metrics_source_readable",
    "boolean",
    "Whether what the metrics are taken from could be read; its metrics are absent when not",
    { source: "`record`, `slots`, `intents`, `data`, `monitor`, `systemd`: what the metrics are taken from" },
  ),

  processMemory: gauge("process_resident_memory_bytes", "bytes", "Resident memory of the monitor", {}),
  processCpu: counter("process_cpu_seconds_total", "seconds", "CPU time that the monitor used, user and system", {}),
  processFiles: gauge("process_open_fds", "number", "Open file descriptors of the monitor", {}),
  hostVersion: gauge("hostos_version", "boolean", "Version of the running image; 0 when it cannot be read", {
    version: "that of the image, or `unknown`",
  }),
  hostBootAction: gauge("hostos_boot_action", "code", "The same as `guestos_boot_action`, of the host's own slots", BOOT_ACTION),
  hostBootStable: gauge(
    "hostos_boot_stable",
    "boolean",
    "Whether no upgrade of the host is waiting for its reboot or its confirmation",
    {},
  ),
  hardwareGeneration: gauge(
    "node_hardware_generation",
    "boolean",
    "Which generation of node machines this is, by its processor; always 1",
    {
      gen: "`Gen1`, `Gen2`, `GenUnknown`",
    },
  ),
  guestServiceStart: gauge(
    "hostos_guestos_service_start",
    "boolean",
    "Whether the guest's machine was started, or found running; absent where it cannot be inspected",
    { vm_type: "`default`" },
  ),
  guestState: gauge(
    "hostos_guestos_state",
    "code",
    "The guest's machine: 0 when it runs, 1 when there is none, 2 when it is there and does not run; absent where it cannot be inspected",
    { vm: "`guestos`" },
  ),
  guestHugePages: gauge(
    "hostos_guestos_hugepages_enabled",
    "boolean",
    "Whether the guest's memory is in huge pages; absent until it was started",
    {
      vm_type: "`default`",
    },
  ),
  guestFailures: gauge(
    "hostos_guestos_failures",
    "number",
    "How often in a row the guest ended within ten minutes of its start, or could not be started",
    {},
  ),
  guestBoot: gauge("hostos_guestos_boot", "boolean", "What a guest that runs has said of its boot", {
    boot: "`pending`, `success`, `failure`, `silent`: exactly one of them is 1",
  }),
  driveFailing: gauge("hostos_drive_failing", "boolean", "Whether the drive says that it is failing", DRIVE),
  hardwareReadable: gauge("hostos_hardware_readable", "boolean", "Whether it could be asked; its metrics are absent when not", {
    source: "name of a drive, `power`, or `processor`",
  }),
  nvmeTemperature: gauge("nvme_temperature_celsius", "number", "Temperature of the drive, degrees Celsius", DRIVE),
  nvmeSpare: gauge("nvme_available_spare_ratio", "number", "What is left of the spare blocks, 0 to 1", DRIVE),
  nvmeSpareThreshold: gauge("nvme_available_spare_threshold_ratio", "number", "What of them must be left, 0 to 1", DRIVE),
  nvmeUsed: gauge("nvme_percent_used", "number", "What is used of the drive's expected life, per cent; more than 100 is possible", DRIVE),
  nvmeWarning: gauge("nvme_critical_warning", "code", "Bits of what the drive warns of; 0 for nothing", DRIVE),
  nvmeMediaErrors: counter("nvme_media_errors_total", "number", "How often data could not be read as they were written", DRIVE),
  nvmeErrors: counter("nvme_num_err_log_entries_total", "number", "Entries of the drive's error log", DRIVE),
  nvmePowerCycles: counter("nvme_power_cycles_total", "number", "How often the drive was switched on", DRIVE),
  nvmePowerOn: counter("nvme_power_on_seconds_total", "seconds", "How long it was on, in whole hours", DRIVE),
  nvmeBusy: gauge("nvme_controller_busy_time_seconds", "seconds", "How long its controller was busy, in whole minutes", DRIVE),
  nvmeRead: counter("nvme_data_units_read_total", "number", "Read, in thousands of 512 bytes", DRIVE),
  nvmeWritten: counter("nvme_data_units_written_total", "number", "Written, in thousands of 512 bytes", DRIVE),
  nvmeReadCommands: counter("nvme_host_read_commands_total", "number", "Commands to read", DRIVE),
  nvmeWriteCommands: counter("nvme_host_write_commands_total", "number", "Commands to write", DRIVE),
  powerNow: gauge("power_instantaneous_watts", "number", "Watts that the machine takes", {}),
  powerAverage: gauge("power_average_watts", "number", "The same, on average over the sampling period", {}),
  powerPeriod: gauge("power_sampling_period_seconds", "seconds", "The sampling period; -1 where the BMC does not say it", {}),
  processStart: gauge("process_start_time_seconds", "unix seconds", "When the monitor's process started", {}),
} satisfies Readonly<Record<string, Family>>;

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
