import { requireMounted } from "../system/disks/mounts.ts";
import { otherSlot } from "../upgrade/boot-state.ts";
import { type Phase, phaseOf } from "../upgrade/decide.ts";
import { KNOWN } from "../upgrade/refusals.ts";
import { inspect, type Seen as SlotsSeen, slotVersion } from "../upgrade/situation.ts";
import { readRefusedImages, type RefusedImage } from "../upgrade/slot-state.ts";
import { type Check, type Finding, notice, part, type Seen, wrong } from "./check.ts";

const SEEN = "guestos-boot upgrade status";

/** The unit upgrade-state repairs a grubenv that is not true. This check reports states that are true, but need an operator's decision. */
export const upgradesCheck: Check = {
  name: "upgrades",
  title: "the running system is confirmed, and there is one to go back to",
  seen: SEEN,
  async inspect({ layout }, host) {
    await requireMounted(host, layout.mountPoints.config);
    await requireMounted(host, layout.mountPoints.grub);
    const seen = await inspect(host, layout);
    const refused = await part(SEEN, async () => judgeRefused(await readRefusedImages(host, layout)));
    const { fact, findings } = PHASES[phaseOf(seen.situation)];
    return { fact: `slot ${seen.situation.running} runs, ${fact}`, findings: [...findings, ...judgeOther(seen), ...refused] };
  },
};

const PHASES: Readonly<Record<Phase, Seen>> = {
  stable: { fact: "and is what the boot loader starts", findings: [] },
  committed: {
    fact: "and the next boot tries the other one",
    findings: notice(SEEN, {
      code: "upgrade-awaits-restart",
      what: "an upgrade waits for its restart",
      todo: "restart the machine, or: guestos-boot upgrade rollback",
    }),
  },
  trial: {
    fact: "on trial",
    findings: notice(SEEN, {
      code: "system-on-trial",
      what: "the running system is on trial: the next boot leaves it",
      todo: "guestos-boot upgrade confirm, or guestos-boot upgrade rollback",
    }),
  },
  "rolled-back": {
    fact: "and was rolled back: the next boot starts the other one",
    findings: notice(SEEN, {
      code: "system-given-up",
      what: "the running system was rolled back, and runs until the restart",
      todo: "restart the machine",
    }),
  },
  "not-as-booted": {
    fact: "and is not what the boot loader was set to start",
    findings: wrong(SEEN, {
      code: "other-system-not-started",
      what: "the boot loader is set to start the other system, and did not",
      todo: "read its messages on the console; guestos-boot upgrade status shows both systems",
    }),
  },
};

/** Judges the system that does not run. */
function judgeOther({ situation, slots }: SlotsSeen): readonly Finding[] {
  const other = otherSlot(situation.running);
  const knowledge = slots[other];
  if (knowledge.kind === "damaged") return wrong(SEEN, knowledge.problem);
  const known = situation.known[other];
  const version = slotVersion(knowledge);
  const found = `slot ${other}: ${KNOWN[known]}${version === undefined ? "" : ` (${version})`}`;
  if (known === "incomplete") {
    const todo = "run the same guestos-boot upgrade install again: it resumes";
    return notice(SEEN, { code: "install-not-finished", what: `an install into slot ${other} was not finished`, found, todo });
  }
  if (known === "failed") {
    const todo = "guestos-boot upgrade install IMAGE";
    return notice(SEEN, {
      code: "upgrade-did-not-stay",
      what: "the last upgrade was not kept, and there is no system to go back to",
      found,
      todo,
    });
  }
  // "nothing": a shipped node has one system until its first upgrade.
  return [];
}

function judgeRefused(images: readonly RefusedImage[]): readonly Finding[] {
  return images.flatMap(({ sha256, reason, at }) =>
    notice(SEEN, {
      code: "image-refused",
      what: "an image is refused, because it failed",
      found: `${sha256.slice(0, 12)}…: ${reason} (${at})`,
      todo: `nothing; to let it be installed again: guestos-boot upgrade forget ${sha256}`,
    }),
  );
}
