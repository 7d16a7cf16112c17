import type { Problem } from "../base/problem.ts";
import { counted, quoted } from "../base/quoted.ts";
import type { BlockDevice } from "../system/disks/lsblk.ts";
import type { Memory, Processors } from "../system/hardware/lshw.ts";
import { HARDWARE_RULES, type HardwareRules } from "./hardware-rules.ts";
import type { Known } from "./known.ts";
import { sizeText } from "./sizes.ts";

/** What a machine is. */
export interface HardwareFacts {
  readonly processors: Known<Processors>;
  readonly threads: Known<number>;
  readonly memory: Known<Memory>;
  /** The large drives that the installer would take. */
  readonly drives: Known<readonly BlockDevice[]>;
  /** By path: whether the drive says that it is failing. */
  readonly failing: ReadonlyMap<string, Known<boolean>>;
  /** Whether the firmware started this system by UEFI. */
  readonly isUefi: boolean;
}

export interface HardwareVerdict {
  /** The installer stops, or the node does not start. */
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What could not be found out. */
  readonly unknown: readonly Problem[];
}

/**
 * All that is wrong with a machine of that reward type, at once. Pure: the machine was asked before.
 *
 * @param rewardType node_reward_type of config.ini; `undefined` where it has none that is usable
 */
export function hardwareVerdict(facts: HardwareFacts, rewardType: string | undefined): HardwareVerdict {
  const rules = HARDWARE_RULES.find(({ types }) => types.test(rewardType ?? ""));
  const judged: HardwareVerdict[] = [
    rules === undefined ? wrong(typeUnknown(rewardType)) : none,
    facts.isUefi ? none : wrong(NO_UEFI),
    judge(facts.drives, sectorFindings),
    healthVerdict(facts.failing),
  ];
  if (rules !== undefined)
    judged.push(
      judge(facts.processors, (processors) => processorFindings(processors, rules)),
      rules.threads === undefined ? none : judge(facts.threads, (threads) => threadFindings(threads, rules.threads)),
      rules.leastMemory === undefined ? none : memoryVerdict(facts.memory, rules.leastMemory),
      rules.leastDisks === undefined ? none : judge(facts.drives, (drives) => diskFindings(drives, rules.leastDisks)),
    );
  return {
    mistakes: judged.flatMap(({ mistakes }) => mistakes),
    warnings: judged.flatMap(({ warnings }) => warnings),
    // One question may be a part of several answers.
    unknown: [...new Map(judged.flatMap(({ unknown }) => unknown).map((problem) => [JSON.stringify(problem), problem])).values()],
  };
}

const none: HardwareVerdict = { mistakes: [], warnings: [], unknown: [] };
const wrong = (...mistakes: readonly Problem[]): HardwareVerdict => ({ ...none, mistakes });

function judge<T>(fact: Known<T>, findings: (value: T) => readonly Problem[]): HardwareVerdict {
  return "problem" in fact ? { ...none, unknown: [fact.problem] } : wrong(...findings(fact.value));
}

function typeUnknown(rewardType: string | undefined): Problem {
  return {
    code: "reward-type-not-known",
    what: "it is not known what hardware is expected: config.ini does not say it",
    found: rewardType === undefined ? "no usable node_reward_type" : quoted(rewardType),
    expected: "type0, type1, type3 or type4, alone or with a dot and a number",
    todo: "write the type that is registered for this machine into config.ini; guestos-boot check-node-config says what is wrong with it",
  };
}

const NO_UEFI: Problem = {
  code: "not-started-by-uefi",
  what: "this system was not started by UEFI",
  found: "a start in BIOS mode",
  expected: "UEFI: an installed node starts in no other way",
  todo: "switch the machine's firmware to UEFI boot, and start again",
};

function processorFindings({ sockets }: Processors, { product, capabilities, leastSockets = 0 }: HardwareRules): readonly Problem[] {
  const others = product === undefined ? [] : sockets.filter((socket) => !product.form.test(socket.product));
  const missing = capabilities.filter((oneOf) => !sockets.every((socket) => oneOf.some((name) => socket.capabilities.has(name))));
  return [
    ...(product === undefined || others.length === 0
      ? []
      : [
          otherProcessor(
            others.map((socket) => socket.product),
            product.words,
          ),
        ]),
    ...missing.map((oneOf) => noCapability(oneOf)),
    ...(sockets.length >= leastSockets ? [] : [fewSockets(sockets.length, leastSockets)]),
  ];
}

function otherProcessor(products: readonly string[], words: string): Problem {
  return {
    code: "processor-other",
    what: "the processor is not one of this reward type",
    found: [...new Set(products)].map(quoted).join(" and "),
    expected: words,
    todo: "correct node_reward_type in config.ini, or use a machine of that type",
  };
}

function noCapability(oneOf: readonly string[]): Problem {
  return {
    code: "processor-capability-missing",
    what: `a processor does not offer ${oneOf.join(" or ")}`,
    found: `no ${oneOf.join(" and no ")} among its capabilities`,
    expected: "it, on every processor",
    todo: HOW_TO_TURN_ON[oneOf[0] ?? ""] ?? "turn on virtualization in the firmware",
  };
}

const HOW_TO_TURN_ON: Readonly<Record<string, string>> = {
  svm: "turn on virtualization in the firmware: SVM Mode, AMD-V, or VT-x",
  sev: "turn on SEV in the firmware: SMEE, SEV Control, and a minimum of ASIDs",
  sev_snp: "turn on SEV-SNP in the firmware: SMEE, SEV-SNP Support, SNP Memory Coverage (RMP), and update it",
};

function fewSockets(found: number, least: number): Problem {
  return {
    code: "processors-few",
    what: "there are not enough processors",
    found: counted(found, "processor", "processors"),
    expected: `${least} or more`,
    todo: "check that both sockets have a processor, and that the firmware shows both",
  };
}

function threadFindings(found: number, { least, most } = { least: 0, most: Infinity }): readonly Problem[] {
  if (found >= least && found <= most) return [];
  return [
    {
      code: "processor-threads",
      what: "the number of threads of the processors is not that of this reward type",
      found: `${found}`,
      expected: least === most ? `${least}` : `${least} or more`,
      todo: "check in the firmware that SMT is on, and that no cores are turned off",
    },
  ];
}

function memoryVerdict(memory: Known<Memory>, least: number): HardwareVerdict {
  if ("problem" in memory) return { ...none, unknown: [memory.problem] };
  const { bytes, isLeast, source } = memory.value;
  if (bytes >= least) return none;
  const problem: Problem = {
    code: "memory-small",
    what: "there is not enough memory",
    found: `${sizeText(bytes)}, of ${source}`,
    expected: `${sizeText(least)} or more`,
    todo: "add memory; if it is there, check in the firmware which modules it does not see",
  };
  if (!isLeast) return wrong(problem);
  return {
    ...none,
    unknown: [
      {
        ...problem,
        code: "memory-not-known",
        what: "it is not known whether there is enough memory",
        found: `at least ${sizeText(bytes)}, of ${source}`,
        todo: "install lshw: it asks the firmware for all of the memory",
      },
    ],
  };
}

function diskFindings(drives: readonly BlockDevice[], least = 0): readonly Problem[] {
  const bytes = drives.reduce((sum, drive) => sum + drive.bytes, 0);
  if (bytes >= least) return [];
  return [
    {
      code: "disks-small",
      what: "the large drives are too small",
      found: drives.length === 0 ? "no large drive" : `${terabytes(bytes)} on ${counted(drives.length, "drive", "drives")}`,
      expected: `${terabytes(least)} or more, on drives of 1.1 TB or more`,
      todo: "add drives; if they are there, check in the firmware that they are seen, and are not behind a RAID",
    },
  ];
}

/** As the makers of drives count. */
function terabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e10) / 100} TB`;
}

/** The installer's image is of sectors of 512 bytes, and drives of two sizes make no volume group. */
function sectorFindings(drives: readonly BlockDevice[]): readonly Problem[] {
  const others = drives.filter(({ sectorBytes }) => sectorBytes !== 512);
  if (others.length === 0) return [];
  return [
    {
      code: "disk-sectors",
      what: "drives have sectors of another size",
      found: others.map(({ path, sectorBytes }) => `${path} ${sectorBytes} bytes`).join(", "),
      expected: "512 bytes on every large drive",
      todo: "this destroys what is on the drive: see nvme id-ns -H, then nvme format --lbaf= with the format of 512 bytes",
    },
  ];
}

/** The installer warns, and goes on. */
function healthVerdict(failing: HardwareFacts["failing"]): HardwareVerdict {
  const warnings = [...failing].flatMap(([path, answer]) => {
    if ("problem" in answer) return [answer.problem];
    return answer.value ? [driveFailing(path)] : [];
  });
  return { ...none, warnings };
}

function driveFailing(path: string): Problem {
  return {
    code: "disk-failing",
    what: `the drive ${path} says that it is failing`,
    found: "SMART: failed",
    expected: "SMART: passed",
    todo: `replace it before the node is installed; smartctl --all ${path} shows more`,
  };
}
