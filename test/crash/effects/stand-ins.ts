import { registerHooks } from "node:module";

const here = (name: string): string => new URL(name, import.meta.url).href;
const STAND_INS: Readonly<Record<string, string>> = {
  [here("../../../src/system/host.ts")]: here("hooked-host.ts"),
  [here("../../../src/system/disks/direct-file.ts")]: here("hooked-direct-file.ts"),
  [here("../../../src/system/systemd/notify.ts")]: here("hooked-notify.ts"),
  [here("../../../src/upgrade/slot-places.ts")]: here("hooked-slot-places.ts"),
};

/** Puts what can be hooked into the place of what does things to a machine. Only what is imported after that sees it. */
export function installStandIns(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const standIn = STAND_INS[found.url];
      // The stand-in itself means the real one.
      return standIn === undefined || context.parentURL === standIn ? found : { ...found, url: standIn };
    },
  });
}
