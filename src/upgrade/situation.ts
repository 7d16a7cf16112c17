import type { Layout, Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { ProblemError, toProblem, type Problem } from "../base/problem.ts";
import { readBootState, type ReadBootState } from "./boot-state.ts";
import { requireBootedSlot } from "./booted-slot.ts";
import type { Known, Situation } from "./decide.ts";
import { readSlotRecord, type SlotRecord } from "./slot-state.ts";

/** The knowledge about a slot: its record, nothing, or the reason why its record cannot be read. */
export type Knowledge =
  | { readonly kind: "record"; readonly record: SlotRecord }
  | { readonly kind: "nothing" }
  | { readonly kind: "damaged"; readonly problem: Problem };

/** The situation, and its sources. */
export interface Seen {
  readonly situation: Situation;
  readonly grubenv: ReadBootState;
  /** The bytes of grubenv; `undefined` when there is no such file. */
  readonly block: Uint8Array | undefined;
  readonly slots: Readonly<Record<Slot, Knowledge>>;
}

/** Reads the command line, grubenv and both records, and changes nothing. @throws ProblemError when the running slot is unknown */
export async function inspect(host: Host, layout: Layout): Promise<Seen> {
  const [running, block, A, B] = await Promise.all([
    requireBootedSlot(host),
    host.readBytes(layout.grubenv),
    knowledgeOf(host, layout, "A"),
    knowledgeOf(host, layout, "B"),
  ]);
  const grubenv = readBootState(block);
  return {
    grubenv,
    block,
    slots: { A, B },
    situation: {
      running,
      state: grubenv.state,
      sound: grubenv.faults.length === 0,
      known: { A: knownOf(A), B: knownOf(B) },
    },
  };
}

async function knowledgeOf(host: Host, layout: Layout, slot: Slot): Promise<Knowledge> {
  try {
    const record = await readSlotRecord(host, layout, slot);
    return record === undefined ? { kind: "nothing" } : { kind: "record", record };
  } catch (error) {
    // An unreadable record is a state of the slot; a failure to read the partition is not.
    if (error instanceof ProblemError) return { kind: "damaged", problem: toProblem(error) };
    throw error;
  }
}

function knownOf(knowledge: Knowledge): Known {
  return knowledge.kind === "record" ? knowledge.record.kind : knowledge.kind;
}

/** The hash of the image that is, or was, in the slot, where it is known. */
export function imageHash(knowledge: Knowledge): string | undefined {
  if (knowledge.kind !== "record") return undefined;
  const { record } = knowledge;
  return record.kind === "proven" ? record.image?.sha256 : record.sha256;
}

/** The version in the slot, where it is known. */
export function slotVersion(knowledge: Knowledge): string | undefined {
  return knowledge.kind === "record" && knowledge.record.kind !== "incomplete" ? knowledge.record.version : undefined;
}
