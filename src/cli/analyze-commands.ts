import { type Command, InvalidArgumentError } from "commander";
import type { Analysis } from "./commands/analyze-command.ts";
import type { WhichRecord } from "../run/boot-record.ts";
import { analyzeHelp, whyHelp } from "./help.ts";
import { addCommand } from "./add-command.ts";
import { bootNumber, bootOption, jsonOption, recordOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";

interface Flags {
  readonly boot: number;
  readonly record?: string;
  readonly json: boolean;
}

const ANALYSES: readonly (readonly [Analysis, string])[] = [
  ["time", "where the time went, from power-on to the end; the default"],
  ["blame", "the units by how long they took, and what each cost the boot"],
  ["critical-chain", "what the end of the boot waited for, piece by piece"],
  ["plot", "a picture of the boot, as SVG"],
  ["report", "everything in one HTML page that needs no network"],
  ["trace", "a trace for Perfetto, as JSON"],
];

/** Adds `analyze` with its subcommands, and `why`. */
export function addAnalyzeCommands(program: Command, { terminal, setup, end }: CommandContext): void {
  const analyze = addCommand(program, "analyze", "where the time of a boot went, in tables and pictures", { help: analyzeHelp });
  for (const [analysis, description] of ANALYSES) {
    const options = [bootOption(), recordOption(), jsonOption()];
    addCommand(analyze, analysis, description, { options, isDefault: analysis === "time" }).action(async ({ json, ...flags }: Flags) => {
      const { analyze: print } = await import("./commands/analyze-command.ts");
      end(await print(await setup(), analysis, { ...whichRecord(flags), json }, terminal));
    });
  }
  addCommand(analyze, "diff", "what differs between two boots: times and outcomes", { options: [jsonOption()] })
    .argument("<from>", "how many boots ago, or a record's file", bootOrFile)
    .argument("[to]", "the same; by default this boot", bootOrFile, { boot: 0 })
    .action(async (from: WhichRecord, to: WhichRecord, { json }: { readonly json: boolean }) => {
      const { analyzeDiff } = await import("./commands/analyze-command.ts");
      end(await analyzeDiff(await setup(), { from, to, json }, terminal));
    });
  addCommand(program, "why", "why a unit ran, waited, was skipped or failed, with what it found", {
    help: whyHelp,
    options: [bootOption(), recordOption(), jsonOption()],
  })
    .argument("<unit>")
    .action(async (unit: string, { json, ...flags }: Flags) => {
      const { why } = await import("./commands/why-command.ts");
      end(await why(await setup(), { ...whichRecord(flags), unit, json }, terminal));
    });
}

function whichRecord({ boot, record }: Pick<Flags, "boot" | "record">): WhichRecord {
  return record === undefined ? { boot } : { file: record };
}

/** A number is a boot, as after --boot; any other text is a file. */
function bootOrFile(text: string): WhichRecord {
  if (text === "") throw new InvalidArgumentError("expected a number of boots, or a file.");
  return /^-?\d+$/.test(text) ? { boot: bootNumber(text) } : { file: text };
}
