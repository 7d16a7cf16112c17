import { pause, systemClock } from "../base/clock.ts";
import { foreignText } from "../base/foreign-words.ts";
import { jsonIn } from "../base/json.ts";
import { ProblemError } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import { openSystemConsole } from "../system/files/system-console.ts";
import type { Host } from "../system/host.ts";
import { handedOverFiles } from "./host-actions.ts";
import { Notice } from "./protocol.ts";

/** A screen at the machine, and its serial line: where the person is who installs a node. */
const CONSOLES = ["/dev/tty1", "/dev/ttyS0"];
/** Milliseconds from one time to the next. */
const INTERVAL = 2_000;
/** Milliseconds for a console that is slow. */
const LAST_MOMENT = 1_000;

/**
 * Shows the notice of the guest that was handed over, as often as it asks for. Each line says that it comes from the guest, so that none
 * can pretend to be the host's own.
 *
 * @throws ProblemError when there is none
 */
export async function showNotice(host: Host, layout: Layout, paths: readonly string[] = CONSOLES): Promise<void> {
  const file = handedOverFiles(layout).notice;
  const notice = Notice.safeParse(jsonIn((await host.readText(file)) ?? "")).data;
  if (notice === undefined) {
    throw new ProblemError({ code: "notice-missing", what: "there is no notice of the guest to show", where: { file } });
  }
  const lines = foreignText(notice.message)
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll("\t", " "));
  const consoles = paths.flatMap((path) => openSystemConsole(path, "guest", systemClock.now) ?? []);
  for (let shown = 0; shown < notice.count; shown += 1) {
    if (shown > 0 && !(await pause(systemClock, INTERVAL, host.signal))) break;
    for (const each of consoles) for (const line of lines) each.print(line);
  }
  await Promise.all(consoles.map(async (each) => each.flush(LAST_MOMENT)));
}
