/** What the installer asks of one generation of machines. What is absent is not asked. */
export interface HardwareRules {
  readonly generation: string;
  /** Values of node_reward_type. */
  readonly types: RegExp;
  /** Of each processor. */
  readonly product?: { readonly form: RegExp; readonly words: string };
  /** Of each processor: one of each list. */
  readonly capabilities: readonly (readonly string[])[];
  readonly leastSockets?: number;
  readonly threads?: { readonly least: number; readonly most: number };
  /** Bytes. */
  readonly leastMemory?: number;
  /** Bytes of all large drives together. */
  readonly leastDisks?: number;
}

/** What type0, type1 and type3 have in common. */
const MACHINE = { leastSockets: 2, leastMemory: 547_608_330_240, leastDisks: 32_000_000_000_000 };

/** As of 2026 (dfinity/ic, ic-os/components/setupos/check-hardware.sh). */
export const HARDWARE_RULES: readonly HardwareRules[] = [
  {
    ...MACHINE,
    generation: "Gen1",
    types: /^type[01](?:\.\d+)?$/,
    product: { form: /AMD EPYC 7302/, words: "AMD EPYC 7302" },
    capabilities: [["svm"], ["sev"]],
    threads: { least: 64, most: 64 },
  },
  {
    ...MACHINE,
    generation: "Gen2",
    types: /^type3(?:\.\d+)?$/,
    product: { form: /AMD EPYC (?:7..[3-9]|[89]\d+)/, words: "AMD EPYC 7xx3 or newer, or of the series 8000 or 9000" },
    capabilities: [["svm"], ["sev_snp"]],
    threads: { least: 64, most: Infinity },
  },
  { generation: "cloud engine", types: /^type4(?:\.\d+)?$/, capabilities: [["svm", "vmx"]] },
];

/** lsblk shows such a size in T: from here on a drive is large to the installer (`lsblk -nld -o NAME,SIZE`). Bytes. */
export const LARGE_DRIVE = 2 ** 40;
