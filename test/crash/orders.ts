import { parseRecord } from "../../src/boot/record/read-record.ts";
import { DEFAULT_PROFILE, profiles } from "../../src/profiles/profiles.ts";
import { stagesOf } from "../../src/run/stages.ts";
import type { Accelerator } from "../../lab/accelerator.ts";
import { RawDisk } from "./raw-disk.ts";
import { differences } from "./check-recovery.ts";
import { onOverlay } from "./explorer.ts";
import { legalOrder } from "./legal-order.ts";
import { openWriteLog } from "./log-writes.ts";
import { crashFolder, firstBoot, type Recording } from "./recording.ts";
import { recovered, type Recovered } from "./recovered.ts";
import { stateAtItsEnd } from "./subjects.ts";

const NAME = "crash-order";

export interface OrderResult {
  /** The names of the units, as they ran. */
  readonly order: readonly string[];
  /** What does not hold; nothing when all does. */
  readonly faults: readonly string[];
}

/** First boots of one node whose units run in other legal orders. */
export class OrderExplorer {
  readonly #recording: Recording;
  readonly #state: Recovered["state"];
  readonly #accelerator: Accelerator;

  private constructor(recording: Recording, state: Recovered["state"], accelerator: Accelerator) {
    this.#recording = recording;
    this.#state = state;
    this.#accelerator = accelerator;
  }

  /** @param say told of what takes time */
  static async over(say: (line: string) => void, accelerator: Accelerator): Promise<OrderExplorer> {
    const recording = await firstBoot(say);
    using log = openWriteLog(recording.log);
    return new OrderExplorer(recording, await stateAtItsEnd(crashFolder, { recording, log, accelerator }), accelerator);
  }

  async explore(seed: number): Promise<OrderResult> {
    const chain = await profiles[DEFAULT_PROFILE].chain();
    const stageOf = stagesOf(chain);
    // The system bus, and what waits for it, is there once the early half has ended.
    const [early, late] = (["early", "late"] as const).map((stage) =>
      legalOrder(
        chain.filter((unit) => stageOf(unit) === stage),
        seed,
      ).map(({ name }) => name),
    );
    const credentials = { "systemd.unit-dropin.guestos-boot.service": inThatOrder(early ?? [], late ?? []) };
    using base = new RawDisk(this.#recording.base);
    const after = await onOverlay(
      NAME,
      base,
      async (disk) => recovered(NAME, disk, this.#recording.medium, this.#accelerator, credentials),
      this.#accelerator.kind,
    );
    const order = [...(early ?? []), ...(late ?? [])];
    return {
      order,
      faults: [
        ...(after.failure === undefined ? [] : [`the target was ${after.failure}`]),
        ...differences(after.state, this.#state),
        ...orderFaults(after.record, order),
      ],
    };
  }
}

/** The units one by one, each as an operator runs it, and then the boot itself, which finds nothing to do. */
function inThatOrder(early: readonly string[], late: readonly string[]): string {
  const runs = (names: readonly string[]): string => `for unit in ${names.join(" ")}; do guestos-boot run --unit $unit || exit; done`;
  const script = `${runs(early)}; systemd-notify --ready; ${runs(late)}; exec guestos-boot run --stage boot`;
  // A dollar is systemd's own (systemd.service(5)).
  return `[Service]\nNotifyAccess=all\nExecStart=\nExecStart=/bin/bash -c '${script.replaceAll("$", "$$$$")}'\n`;
}

/** Whether each unit was run in its turn, and the boot behind them did nothing that lasts. @param record of all these runs */
export function orderFaults(record: string, order: readonly string[]): readonly string[] {
  const { runs } = parseRecord(record, "record.jsonl");
  const asked = runs.slice(0, -1).map(({ units }) => units.find(({ prerequisite }) => !prerequisite)?.name);
  const again = runs.at(-1)?.units.flatMap(({ name, result }) => (result?.kind === "changed" ? [name] : [])) ?? ["everything"];
  return [
    ...(asked.join(" ") === order.join(" ") ? [] : [`the units ran in the order ${asked.join(" ")}`]),
    ...again.map((name) => `${name} still had something to do`),
  ];
}
