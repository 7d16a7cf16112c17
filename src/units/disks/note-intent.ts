import { type Action, provision } from "../../boot/unit.ts";
import { type Intent, writeIntent } from "../../config/state/intent.ts";
import type { Machine } from "../machine.ts";

/** The action that writes the intent of that name. @param text what it notes */
export function noteIntent({ host, layout }: Machine, name: string, intent: Intent, text: string): Action {
  return provision(`note ${text}`, () => writeIntent(host, layout.config.intents, name, intent));
}
