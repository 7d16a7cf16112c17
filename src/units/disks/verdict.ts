import { type Conflict, conflict } from "../../boot/unit.ts";
import type { Intent } from "../../config/state/intent.ts";
import { type Content, contentText } from "../../system/disks/signature.ts";

/**
 * What may be done with a device, by the two-key rule: nothing is made or destroyed unless a durable intent and a probe agree. A marker
 * alone can be wrong after a crash, and a probe alone can be wrong about a damaged header.
 *
 * | intent   | blank           | ours         | a format cut off | something else |
 * | -------- | --------------- | ------------ | ---------------- | -------------- |
 * | none     | make            | (adopt)      | conflict         | conflict       |
 * | begun    | make (again)    | finish       | make (again)     | conflict       |
 * | complete | conflict: never | keep         | conflict: never  | conflict       |
 *
 * An intent is begun only on a blank device, and cryptsetup then first writes noise without a signature.
 */
export type Verdict = { readonly kind: "make" | "finish" | "keep" | "adopt" } | { readonly kind: "conflict"; readonly conflict: Conflict };

export interface Evidence {
  /** The device in an operator's words: "/dev/vda10 (store)". */
  readonly place: string;
  readonly intent: Intent | undefined;
  readonly content: Content;
  /** The signature of the expected content. */
  readonly type: string;
  /** Without an intent, the content may be adopted: only a node of the shell chain has a raw key, and that key opens the device. */
  readonly proven?: boolean;
}

export function verdict(evidence: Evidence): Verdict {
  const { intent, content, type } = evidence;
  if (content.kind === "blank") return intent?.phase === "complete" ? refuse(evidence) : { kind: "make" };
  if (content.kind === "cut-off-format" && type === "crypto_LUKS" && intent?.phase === "begun") return { kind: "make" };
  if (content.kind === "found" && content.type === type) {
    if (intent === undefined && evidence.proven === true) return { kind: "adopt" };
    if (intent?.uuid === content.uuid) return { kind: intent.phase === "complete" ? "keep" : "finish" };
  }
  return refuse(evidence);
}

function refuse({ place, intent, content, type }: Evidence): Verdict {
  const expected =
    intent === undefined
      ? "nothing, as on a node that was never provisioned"
      : `${type} ${intent.uuid}, ${intent.phase === "complete" ? "made and completed before" : "begun before"}`;
  return {
    kind: "conflict",
    conflict: conflict({
      code: "content-differs",
      what: `${place} does not hold what it should; it was not changed`,
      found: contentText(content),
      expected,
      todo:
        intent?.phase === "complete" && content.kind !== "found"
          ? "its header is damaged or missing: do not format it, restore the header from a backup (docs/operator.md, 'Conflicts')"
          : "find out what it is (wrong disk? foreign data?) and decide (docs/operator.md, 'Conflicts')",
    }),
  };
}
