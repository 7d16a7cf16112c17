import { expect, test } from "vitest";
import { pause } from "../../../src/base/clock.ts";
import { runMonitor } from "../../../src/monitor/monitor.ts";
import type { Report } from "../../../src/monitor/state.ts";
import type { Inspection } from "../../../src/monitor/monitor-inspection.ts";
import type { Watcher } from "../../../src/boot/unit.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

interface Seen {
  /** Seconds, and what was inspected: "all", or names. */
  readonly inspections: readonly string[];
  readonly reports: readonly Report[];
}

const inspect = (name: string, more: Partial<Inspection> = {}): Inspection => ({
  name,
  kind: "fine",
  done: [],
  drift: [],
  retries: 0,
  ...more,
});

/** Lets a monitor run for so many seconds of a clock that takes no time. */
async function watched(
  seconds: number,
  {
    answer = () => [],
    takes = () => 0,
    watchers = () => [],
    quick,
  }: {
    readonly answer?: (names: readonly string[] | undefined, count: number) => readonly Inspection[];
    /** Seconds that an inspection takes, unless it is given up. */
    readonly takes?: (names: readonly string[] | undefined) => number;
    readonly watchers?: (clock: VirtualClock) => readonly Watcher<undefined>[];
    /** What a quick inspect nftables says. These, and the telling of others, are among the inspections. */
    readonly quick?: (count: number) => Inspection | undefined;
  },
): Promise<Seen> {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const inspections: string[] = [];
  const reports: Report[] = [];
  clock.after(seconds * 1000, () => controller.abort());
  const note = (what: string): void => void inspections.push(`${Math.floor(clock.now() * 100) / 100}: ${what}`);
  let quickInspections = 0;
  await runMonitor<undefined>({
    watchers: watchers(clock),
    atStart: ["x"],
    machine: undefined,
    inspect: async (names, signal) => {
      note(names?.join(" ") ?? "all");
      const found = answer(names, inspections.length);
      if (takes(names) > 0) await pause(clock, takes(names) * 1000, signal);
      signal.throwIfAborted();
      return found;
    },
    ...(quick === undefined
      ? {}
      : {
          quick: {
            units: ["nftables"],
            inspect: async (name) => {
              note(`quick ${name}`);
              return quick(++quickInspections);
            },
            publish: async (signal) => {
              note("tell");
              if (takes(["tell"]) > 0) await pause(clock, takes(["tell"]) * 1000, signal);
              signal.throwIfAborted();
            },
          },
        }),
    report: (item) => reports.push(item),
    clock,
    signal: controller.signal,
  });
  return { inspections, reports };
}

/** Yields at these seconds, and then waits for the end. */
function yielding(
  name: string,
  seconds: readonly number[],
  more: Partial<Watcher<undefined>> = {},
): (clock: VirtualClock) => readonly Watcher<undefined>[] {
  return (clock) => [
    {
      ...more,
      name,
      async *watch(_, signal) {
        let before = 0;
        for (const at of seconds) {
          if (at > before) await clock.sleep((at - before) * 1000);
          before = at;
          yield;
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    },
  ];
}

test("what may be repaired is inspected at the start, everything somewhat later, and then once an hour", async () => {
  expect((await watched(7900, {})).inspections).toEqual(["0: x", "600: all", "4200: all", "7800: all"]);
});

test("an event calls for a inspect that unit alone, and several at once for one", async () => {
  const { inspections } = await watched(100, { watchers: yielding("nftables", [10, 10, 10, 50]) });
  expect(inspections).toEqual(["0: x", "10.02: nftables", "50.02: nftables"]);
});

test("an inspection that waits for a router yields for the firewall, and is made up for", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [10], { yields: true })(clock),
    ...yielding("nftables", [12])(clock),
  ];
  const takes = (names: readonly string[] | undefined): number => (names?.includes("ipv6-monitor") === true ? 20 : 0);
  const { inspections, reports } = await watched(60, { watchers: both, takes });
  expect(inspections).toEqual(["0: x", "10.02: ipv6-monitor", "12.02: nftables", "13: ipv6-monitor"]);
  expect(reports).toEqual([]);
});

test("a unit that may not wait is inspected at once when it calls, and others are told a second after what is new", async () => {
  const { inspections, reports } = await watched(100, {
    watchers: yielding("nftables", [10, 10.5, 50]),
    quick: (count) => inspect("nftables", count === 1 ? { kind: "repaired", done: ["load"] } : {}),
  });
  expect(inspections).toEqual(["0: x", "10.02: quick nftables", "10.52: quick nftables", "11.02: tell", "50.02: quick nftables"]);
  expect(reports).toEqual([{ kind: "inspection", inspection: inspect("nftables", { kind: "repaired", done: ["load"] }) }]);
});

test("where it cannot be inspected at once, it is inspected as every unit is, which tells others too", async () => {
  const troubles = { quick: () => undefined };
  expect((await watched(20, { watchers: yielding("nftables", [10]), ...troubles })).inspections).toEqual([
    "0: x",
    "10.02: quick nftables",
    "10.02: nftables",
  ]);
  const { inspections, reports } = await watched(40, {
    watchers: yielding("nftables", [10, 30]),
    quick: () => {
      throw new ProblemError({ code: "test-problem", what: "no flock" });
    },
  });
  expect(inspections).toEqual(["0: x", "10.02: quick nftables", "10.02: nftables", "30.02: quick nftables", "30.02: nftables"]);
  // Said once, however often it is so.
  expect(reports).toEqual([{ kind: "problem", doing: "inspecting nftables at once", problem: { code: "test-problem", what: "no flock" } }]);
});

test("what could not be repaired at once is tried again by another process, without an event", async () => {
  const { inspections } = await watched(50, {
    watchers: yielding("nftables", [10]),
    quick: () => inspect("nftables", { kind: "failed", problem: { code: "test-problem", what: "nft crashed" } }),
  });
  expect(inspections).toEqual(["0: x", "10.02: quick nftables", "11.02: tell", "40.02: nftables"]);
});

test("telling others yields for what calls, and is made up for", async () => {
  const { inspections, reports } = await watched(100, {
    watchers: yielding("nftables", [10, 12]),
    takes: (names) => (names?.includes("tell") === true ? 20 : 0),
    quick: (count) => inspect("nftables", count === 1 ? { kind: "repaired" } : {}),
  });
  expect(inspections).toEqual(["0: x", "10.02: quick nftables", "11.02: tell", "12.02: quick nftables", "13: tell"]);
  expect(reports).toHaveLength(1);
});

test("what may have to wait has its own inspection after that at everything, and yields there too", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [], { yields: true })(clock),
    ...yielding("nftables", [602])(clock),
  ];
  const takes = (names: readonly string[] | undefined): number => (names?.includes("ipv6-monitor") === true ? 20 : 0);
  const { inspections } = await watched(700, { watchers: both, takes });
  expect(inspections).toEqual(["0: x", "600: all", "600: ipv6-monitor", "602.02: nftables", "603: ipv6-monitor"]);
});

test("of what is due at the same time, what may have to wait comes last", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [10], { yields: true })(clock),
    ...yielding("nftables", [10])(clock),
  ];
  expect((await watched(60, { watchers: both })).inspections).toEqual(["0: x", "10.02: nftables", "10.02: ipv6-monitor"]);
});

test("what could not be repaired is tried again, less and less often", async () => {
  const { inspections } = await watched(1300, {
    answer: () => [inspect("x", { kind: "failed", problem: { code: "test-problem", what: "no router" } })],
  });
  expect(inspections).toEqual(["0: x", "30: x", "90: x", "210: x", "450: x", "600: all", "900: x", "1200: x"]);
});

test("after a success the next failure is tried again soon", async () => {
  const { inspections } = await watched(400, {
    answer: (_, count) => [
      inspect("x", count === 3 ? { kind: "repaired", again: 100 } : { kind: "failed", problem: { code: "test-problem", what: "no" } }),
    ],
  });
  expect(inspections).toEqual(["0: x", "30: x", "90: x", "190: x", "220: x", "280: x"]);
});

test("what is blocked waits for an event", async () => {
  const { inspections } = await watched(3000, {
    answer: () => [inspect("ipv6-monitor", { kind: "blocked", problem: { code: "test-problem", what: "no carrier" } })],
    watchers: yielding("ipv6-monitor", [2000]),
  });
  expect(inspections).toEqual(["0: x", "600: all", "2000.02: ipv6-monitor"]);
});

test("a unit may name the time of the next inspection", async () => {
  const { inspections } = await watched(50, { answer: () => [inspect("backup-spool", { again: 20 })] });
  expect(inspections).toEqual(["0: x", "20: backup-spool", "40: backup-spool"]);
});

test("an inspection that does not come to its end is told, and made up for", async () => {
  const { inspections, reports } = await watched(100, {
    answer: (_, count) => {
      if (count === 1) throw new ProblemError({ code: "test-problem", what: "the lock is held" });
      return [];
    },
  });
  expect(inspections).toEqual(["0: x", "30: x"]);
  expect(reports).toEqual([{ kind: "problem", doing: "inspecting x", problem: { code: "test-problem", what: "the lock is held" } }]);
});

test("a watcher that breaks is told, and set up again with an inspection", async () => {
  let times = 0;
  const broken = (): readonly Watcher<undefined>[] => [
    {
      name: "data-growth",
      watch() {
        times += 1;
        throw new ProblemError({ code: "test-problem", what: "no such volume" });
      },
    },
  ];
  const { inspections, reports } = await watched(400, { watchers: broken });
  expect(times).toBe(2);
  expect(inspections).toEqual(["0: x", "300.02: data-growth"]);
  // Said once, however often it is so.
  expect(reports).toEqual([{ kind: "problem", doing: "watching data-growth", problem: { code: "test-problem", what: "no such volume" } }]);
});

test("an operator reads what changes, and nothing twice", async () => {
  const bad = { kind: "blocked", problem: { code: "test-problem", what: "broken file" } } as const;
  const answers = [
    inspect("nftables"),
    inspect("nftables", bad),
    inspect("nftables", bad),
    inspect("nftables"),
    inspect("nftables", { kind: "repaired" }),
  ];
  const { reports } = await watched(3 * 3600 + 601, { answer: (_, count) => [answers[count - 1] ?? inspect("nftables")] });
  expect(reports.map((item) => (item.kind === "inspection" ? item.inspection.kind : item.doing))).toEqual(["blocked", "fine", "repaired"]);
});
