import { type MonitorState, readMonitorState } from "../config/state/monitor-state.ts";
import { type UnitState, unitStates } from "../system/systemd/systemd.ts";
import { type Check, type Finding, notice, wrong } from "./check.ts";

const SERVICE = "guestos-monitor.service";
const SEEN = `systemctl status ${SERVICE}`;

/** The monitor's findings are not repeated here: chainCheck inspects the same units itself. */
export const monitorCheck: Check = {
  name: "monitor",
  title: "the monitor runs, and inspects",
  seen: SEEN,
  async inspect({ monitorFile }, host) {
    const service = (await unitStates(host, [SERVICE])).get(SERVICE);
    const state = await readMonitorState(host, monitorFile);
    const now = Date.now() / 1000;
    return {
      fact: state === undefined ? "it runs" : `it runs, last inspection ${minutes(now - state.time)} ago`,
      findings: judgeMonitor(service, state, now),
    };
  },
};

/** Seconds. The monitor inspects everything once an hour; an inspection may be put off, or take a while. */
const TOO_LONG = 2 * 3600;

/** @param now seconds since the epoch */
export function judgeMonitor(service: UnitState | undefined, state: MonitorState | undefined, now: number): readonly Finding[] {
  if (service?.active !== "active") {
    return wrong(SEEN, {
      code: "monitor-not-running",
      what: "the monitor does not run: nothing is repaired automatically",
      found: service === undefined ? "unknown" : `${service.load}, ${service.active} (${service.sub})`,
      expected: "active (running)",
      todo: `systemctl start ${SERVICE}; why it ended: journalctl -b -u ${SERVICE}`,
    });
  }
  if (state === undefined) {
    return notice(SEEN, {
      code: "monitor-not-inspected-yet",
      what: "the monitor has not inspected anything yet",
      todo: "check again in a minute; if it stays: journalctl -b -u guestos-monitor",
    });
  }
  if (now - state.time <= TOO_LONG) return [];
  return wrong(SEEN, {
    code: "monitor-not-inspecting",
    what: "the monitor has not inspected anything for a long time",
    found: `${minutes(now - state.time)} ago`,
    expected: "an inspection in each hour",
    todo: `systemctl restart ${SERVICE}`,
  });
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds / 60);
  if (whole < 1) return "less than a minute";
  return `${whole} minute${whole === 1 ? "" : "s"}`;
}
