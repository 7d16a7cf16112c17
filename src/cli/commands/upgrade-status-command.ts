import type { Layout, Slot } from "../../config/layout/layout.ts";
import type { Host } from "../../system/host.ts";
import { oneLine, ProblemError } from "../../base/problem.ts";
import { grubBoot } from "../../upgrade/boot-state.ts";
import { bootStateText, writeText } from "../../upgrade/apply-writes.ts";
import { type Phase, phaseOf, settleAll } from "../../upgrade/decide.ts";
import { KNOWN } from "../../upgrade/refusals.ts";
import { imageHash, type Knowledge, inspect, type Seen, slotVersion } from "../../upgrade/situation.ts";
import { readRefusedImages, type RefusedImage } from "../../upgrade/slot-state.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { asUpgradeReader } from "./upgrade-work.ts";

/** Shows both slots, the slot that is booted next, and the refused images. Changes nothing and takes no lock. */
export async function upgradeStatus({ layout }: Setup, { json }: { readonly json: boolean }, terminal: Terminal): Promise<ExitName> {
  return asUpgradeReader(async (host) => {
    const seen = await inspect(host, layout);
    const version = (await host.readText(layout.versionFile))?.trim();
    const refused = await refusedImages(host, layout);
    if (json) printJson(terminal, statusDocument(seen, version, refused));
    else for (const line of statusLines(seen, version, refused)) terminal.print(line);
    return "ok";
  });
}

type Refused = { readonly images: readonly RefusedImage[] } | { readonly problem: ProblemError["problem"] };

/** An unreadable list must not hide everything else. */
async function refusedImages(host: Host, layout: Layout): Promise<Refused> {
  try {
    return { images: await readRefusedImages(host, layout) };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    throw error;
  }
}

function statusLines(seen: Seen, version: string | undefined, refused: Refused): readonly string[] {
  const { situation, grubenv, block, slots } = seen;
  const lines = (["A", "B"] as const).map((slot) => {
    const runs = slot === situation.running;
    const of = [runs ? version : slotVersion(slots[slot]), imageHash(slots[slot])].filter((text) => text !== undefined).join(", ");
    return `slot ${slot} ${runs ? "(runs)" : "      "}  ${knowledgeText(slots[slot])}${of === "" ? "" : `: ${of}`}`;
  });
  const images = "images" in refused ? refused.images : [];
  return [
    PHASES[phaseOf(situation)](situation.running),
    ...lines,
    `boot loader    ${bootStateText(grubenv.state)}; the next boot starts ${grubBoot(block).slot}`,
    ...grubenv.faults.map((fault) => `grubenv         is damaged: ${fault}`),
    ...settleAll(situation).map((write) => `to do           ${writeText(write)}`),
    ...images.map(({ sha256, reason, at }) => `refused         ${sha256}: ${reason} (${at})`),
    ...("problem" in refused ? [oneLine(refused.problem)] : []),
  ];
}

const PHASES: Readonly<Record<Phase, (running: Slot) => string>> = {
  stable: (running) => `stable: slot ${running} runs, and is what the boot loader starts`,
  committed: () => "committed: the other slot is tried at the next boot",
  trial: (running) => `on trial: slot ${running} runs; the next boot starts the other slot unless this one is confirmed`,
  "rolled-back": (running) => `rolled back: slot ${running} runs until the next boot, which starts the other one`,
  "not-as-booted": (running) => `not as booted: slot ${running} runs, and the boot loader is set to start the other one`,
};

function knowledgeText(knowledge: Knowledge): string {
  if (knowledge.kind !== "record") return KNOWN[knowledge.kind];
  const { record } = knowledge;
  return record.kind === "failed" ? `${KNOWN.failed} (${record.reason}, ${record.at})` : KNOWN[record.kind];
}

function statusDocument({ situation, grubenv, block, slots }: Seen, version: string | undefined, refused: Refused): object {
  return {
    running: situation.running,
    version,
    phase: phaseOf(situation),
    next: grubBoot(block).slot,
    grubenv: { ...grubenv.state, readable: grubenv.readable, faults: grubenv.faults },
    slots: { A: slotDocument(slots.A), B: slotDocument(slots.B) },
    toDo: settleAll(situation).map(writeText),
    refused: "images" in refused ? refused.images : { problem: refused.problem },
  };
}

function slotDocument(knowledge: Knowledge): object {
  return knowledge.kind === "record" ? knowledge.record : knowledge;
}
