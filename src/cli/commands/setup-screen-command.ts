import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import * as z from "../../base/schema.ts";
import { parseRecord } from "../../boot/record/read-record.ts";
import type { RunView } from "../../boot/record/run-view.ts";
import { failureLines, unitLine } from "../../boot/show/run-text.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { addressInPrefix, deterministicMac, SYSTEM_INDEX } from "../../config/values/deterministic-address.ts";
import { isRunning } from "../../run/boot-record.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import type { Setup } from "../../run/setup.ts";
import { beats } from "../../system/files/follow-file.ts";
import { screenAt, type Screen } from "../../system/files/system-console.ts";
import { readersFolder } from "../../system/files/readers.ts";
import { type Host, systemHost } from "../../system/host.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { endPage, type PageFacts, progressPage, type ProgressNote, type SetupEnd, setupEnd } from "./setup-page.ts";

/** Milliseconds between two looks. */
const BEAT = 1000;
/** Seconds after which the last page is drawn again, because something may have written over it. On a serial line, which is kept, seldom. */
const AGAIN = { screen: 30, serial: 300 };
/** Seconds between two lines of progress on a serial line. */
const PACE = 15;
/** Seconds until a page that was lost is drawn again. */
const LOST = 5;
/** Seconds for a person to read that all is well, before the machine starts again. */
const READING = 15;

/**
 * Shows an installation on the machine's consoles, from its beginning, until the machine is started again. The last page stays. It leaves what
 * it showed last on the stick. guestos-setup-screen.service runs it.
 *
 * @param consoles terminals; those of serial lines get lines, and others pages
 * @throws ExitError on a system that is no installer
 */
export async function setupScreen({ layout }: Setup, consoles: readonly string[]): Promise<ExitName> {
  const { stick } = layout;
  if (stick === undefined) throw new ExitError("usage", { code: "no-installer", what: "this system is no installer" });
  const host = systemHost();
  const stop = stopOnSignals();
  const screens = consoles.map(screenAt);
  await host.makeFolder(layout.run, readersFolder);
  let ended: { readonly at: number; readonly end: SetupEnd } | undefined;
  const drawn = new Map<Screen, number>();
  for await (const _ of beats(layout.runFiles.record, BEAT, stop.signal)) {
    const run = await lastBoot(host, layout.runFiles.record);
    if (run === undefined) continue;
    const now = systemClock.now();
    const end = setupEnd(run) ?? ((await wasCutOff(host, layout, run)) ? "failed" : undefined);
    const isNew = end !== undefined && ended === undefined;
    const facts = await pageFacts(host, layout);
    if (isNew) {
      ended = { at: now, end };
      drawn.clear();
      await leaveLog(host, stick.log, run, end, facts);
    }
    const page = end === undefined ? progressPage(run, facts) : endPage(run, end, facts);
    for (const screen of screens) {
      const isSerial = /ttyS/.test(screen.path);
      const every = end === undefined ? (isSerial ? PACE : 1) : isSerial ? AGAIN.serial : AGAIN.screen;
      if (now - (drawn.get(screen) ?? -Infinity) < (screen.isLost() ? LOST : every)) continue;
      drawn.set(screen, now);
      screen.write(isSerial ? `\r\n${(end === undefined ? progressLines(page) : page).join("\r\n")}\r\n` : pageText(page));
    }
    if (ended?.end === "installed" && now - ended.at > READING) {
      await host.run({ program: "systemctl", args: ["--no-block", "reboot"] });
      return "ok";
    }
  }
  return stop.exit();
}

/** A chain that was killed has written no end. The record is read again: it may have ended just now. */
async function wasCutOff(host: Host, layout: Setup["layout"], run: RunView): Promise<boolean> {
  if (await isRunning(host, run)) return false;
  const again = await lastBoot(host, layout.runFiles.record);
  return again !== undefined && again.end === undefined;
}

/** Over what was there, line by line: a screen that is cleared first flickers. */
function pageText(page: readonly string[]): string {
  return `\x1b[?25l\x1b[H${page.map((line) => `${line}\x1b[K\r\n`).join("")}\x1b[J`;
}

/** The row of the unit that runs, and that of the whole. */
function progressLines(page: readonly string[]): readonly string[] {
  return page.filter((line) => line.startsWith(" >") || line.startsWith("["));
}

async function lastBoot(host: Host, file: string): Promise<RunView | undefined> {
  try {
    return parseRecord((await host.readText(file)) ?? "", file).runs.findLast(({ facts }) => facts.stage === "boot");
  } catch {
    // It is being written.
    return undefined;
  }
}

const Progress = z.object({ phase: z.enum(["read", "write", "read-back"]), done: z.number(), total: z.number(), at: z.number() });

async function pageFacts(host: Host, layout: Setup["layout"]): Promise<PageFacts> {
  const progress = new Map<string, ProgressNote>();
  const folder = layout.stick?.progress ?? "";
  for (const name of (await host.list(folder)) ?? []) {
    try {
      progress.set(name.replace(/\.json$/, ""), Progress.parse(JSON.parse((await host.readText(join(folder, name))) ?? "")));
    } catch {
      // It is not there any more.
    }
  }
  const { mgmtMac, ipv6 } = await identity(host, layout);
  const version = (await host.readText(layout.versionFile))?.trim() ?? "of no version";
  return { version, mgmtMac, ipv6, progress, now: systemClock.now() };
}

async function identity(host: Host, layout: Setup["layout"]): Promise<Pick<PageFacts, "mgmtMac" | "ipv6">> {
  try {
    const { icos_settings, network_settings } = (await readHostosConfig(host, layout)).config;
    const { mgmt_mac, deployment_environment: environment } = icos_settings;
    if (mgmt_mac === null || environment === "unknown") return { mgmtMac: undefined, ipv6: undefined };
    const { ipv6_config: config } = network_settings;
    const mac = deterministicMac(mgmt_mac, environment, SYSTEM_INDEX.host);
    return { mgmtMac: mgmt_mac, ipv6: config.kind === "Deterministic" ? addressInPrefix(config.prefix, mac) : undefined };
  } catch {
    return { mgmtMac: undefined, ipv6: undefined };
  }
}

/** What any computer can read from the stick afterwards. A stick that cannot be written to stops nothing. */
async function leaveLog(host: Host, file: string, run: RunView, end: SetupEnd, facts: PageFacts): Promise<void> {
  const lines = [
    ...endPage(run, end, facts).map((line) => line.replaceAll(/[\u2588\u2580\u2584]/g, " ").trimEnd()),
    "",
    ...run.units.flatMap((unit) => [
      unitLine(unit),
      ...("provisioned" in (unit.result ?? {}) && unit.result?.kind === "changed"
        ? unit.result.provisioned.map((text) => `  ${text}`)
        : []),
      ...unit.notes.map((text) => `  note: ${text}`),
    ]),
    "",
    ...failureLines(run.units),
  ];
  try {
    // A VFAT has no modes: this one is what its mount options say.
    await host.writeFile(file, `${lines.join("\r\n")}\r\n`, { mode: 0o700 });
  } catch {
    return;
  }
}
