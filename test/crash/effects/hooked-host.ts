/** Takes the place of src/system/host.ts: the same machine, but every effect can be hooked. Also a machine of its own, as far as files cannot be it. */
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as real from "../../../src/system/host.ts";
import { explainRefusal, requireOwn, settingPlace } from "./bounds.ts";
import { effect, hangs, step, target } from "./hook.ts";

export type * from "../../../src/system/host.ts";

export function systemHost(options: real.HostOptions): real.Host {
  const host = real.systemHost(options);
  return {
    ...host,
    // The disks of the machine that runs the test are not this one's; its network card is one without hardware.
    readText: async (path) => {
      const place = settingPlace(path);
      return (place === undefined ? undefined : await host.readText(place)) ?? host.readText(path);
    },
    list: async (path) => (path === "/sys/class/block" ? [] : host.list(path)),
    readLink: async (path) => (path === "/sys/class/net/eth0/device" ? "../../../0000:00:01.0" : host.readLink(path)),
    run: async (command) =>
      effect(
        `${command.program} ${command.args.slice(0, 4).join(" ")}`,
        async () => {
          const ended = host.run(hangs() ? { ...command, ...ENDLESS } : command);
          // Who awaits it hears of it.
          ended.catch(() => undefined);
          await step(async () => pause(1));
          // Half of the time that it takes: where it is waited for anyway.
          if (target.moment.kind === "middle" && target.moment.step === 2) await step(async () => pause(target.milliseconds / 2));
          else await step();
          return ended.catch(explainRefusal);
        },
        true,
      ),
    writeFile: async (path, ...rest) => change(`write ${path}`, [path], async () => host.writeFile(path, ...rest)),
    writeStream: async (path, ...rest) => change(`write ${path}`, [path], async () => host.writeStream(path, ...rest)),
    writeInPlace: async (path, ...rest) => {
      const place = settingPlace(path);
      if (place !== undefined) makeSetting(place);
      const where = place ?? path;
      return change(`overwrite ${path}`, [where], async () => host.writeInPlace(where, ...rest));
    },
    makeFolder: async (path, attributes) => change(`make ${path}`, [path], async () => host.makeFolder(path, attributes)),
    remove: async (path) => change(`remove ${path}`, [path], async () => host.remove(path)),
    rename: async (from, to) => change(`rename ${from}`, [from, to], async () => host.rename(from, to)),
    setAttributes: async (path, attributes) =>
      change(`set attributes of ${path}`, [path], async () => host.setAttributes(path, attributes)),
  };
}

/** An ignored signal stays ignored in the program that takes the shell's place: SIGKILL alone ends it. */
const ENDLESS = { program: "sh", args: ["-c", "trap '' TERM; exec sleep infinity"] };

/** The kernel's are always there. */
function makeSetting(place: string): void {
  mkdirSync(dirname(place), { recursive: true });
  appendFileSync(place, "");
}

/** An effect on files, which must be the machine's. */
async function change(name: string, paths: readonly string[], act: () => Promise<void>): Promise<void> {
  for (const path of paths) requireOwn(path);
  return effect(name, act);
}
