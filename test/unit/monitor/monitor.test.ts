import { expect, test } from "vitest";
import { pause } from "../../../src/base/clock.ts";
import { keepWatch } from "../../../src/monitor/monitor.ts";
import type { News } from "../../../src/monitor/state.ts";
import type { Look } from "../../../src/monitor/monitor-look.ts";
import type { Watcher } from "../../../src/boot/unit.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

interface Seen {
  /** Seconds, and what was looked at: "all", or names. */
  readonly looks: readonly string[];
  readonly news: readonly News[];
}

const look = (name: string, more: Partial<Look> = {}): Look => ({ name, kind: "fine", done: [], drift: [], retries: 0, ...more });

/** Lets a monitor run for so many seconds of a clock that takes no time. */
async function watched(
  seconds: number,
  {
    answer = () => [],
    takes = () => 0,
    watchers = () => [],
    quick,
  }: {
    readonly answer?: (names: readonly string[] | undefined, count: number) => readonly Look[];
    /** Seconds that a look takes, unless it is given up. */
    readonly takes?: (names: readonly string[] | undefined) => number;
    readonly watchers?: (clock: VirtualClock) => readonly Watcher<undefined>[];
    /** What a quick look at nftables says. These, and the telling of others, stand among the looks. */
    readonly quick?: (count: number) => Look | undefined;
  },
): Promise<Seen> {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const looks: string[] = [];
  const news: News[] = [];
  clock.after(seconds * 1000, () => controller.abort());
  const note = (what: string): void => void looks.push(`${Math.floor(clock.now() * 100) / 100}: ${what}`);
  let quickLooks = 0;
  await keepWatch<undefined>({
    watchers: watchers(clock),
    atStart: ["x"],
    machine: undefined,
    look: async (names, signal) => {
      note(names?.join(" ") ?? "all");
      const found = answer(names, looks.length);
      if (takes(names) > 0) await pause(clock, takes(names) * 1000, signal);
      signal.throwIfAborted();
      return found;
    },
    ...(quick === undefined
      ? {}
      : {
          quick: {
            units: ["nftables"],
            look: async (name) => {
              note(`quick ${name}`);
              return quick(++quickLooks);
            },
            tellOthers: async (signal) => {
              note("tell");
              if (takes(["tell"]) > 0) await pause(clock, takes(["tell"]) * 1000, signal);
              signal.throwIfAborted();
            },
          },
        }),
    tell: (item) => news.push(item),
    clock,
    signal: controller.signal,
  });
  return { looks, news };
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

test("what may be mended is looked at at the start, everything somewhat later, and then once an hour", async () => {
  expect((await watched(7900, {})).looks).toEqual(["0: x", "600: all", "4200: all", "7800: all"]);
});

test("an event calls for a look at that unit alone, and several at once for one", async () => {
  const { looks } = await watched(100, { watchers: yielding("nftables", [10, 10, 10, 50]) });
  expect(looks).toEqual(["0: x", "10.02: nftables", "50.02: nftables"]);
});

test("a look that waits for a router makes way for the firewall, and is made up for", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [10], { makesWay: true })(clock),
    ...yielding("nftables", [12])(clock),
  ];
  const takes = (names: readonly string[] | undefined): number => (names?.includes("ipv6-monitor") === true ? 20 : 0);
  const { looks, news } = await watched(60, { watchers: both, takes });
  expect(looks).toEqual(["0: x", "10.02: ipv6-monitor", "12.02: nftables", "13: ipv6-monitor"]);
  expect(news).toEqual([]);
});

test("a unit that may not wait is looked at at once when it calls, and others are told a second after what is new", async () => {
  const { looks, news } = await watched(100, {
    watchers: yielding("nftables", [10, 10.5, 50]),
    quick: (count) => look("nftables", count === 1 ? { kind: "mended", done: ["load"] } : {}),
  });
  expect(looks).toEqual(["0: x", "10.02: quick nftables", "10.52: quick nftables", "11.02: tell", "50.02: quick nftables"]);
  expect(news).toEqual([{ kind: "look", look: look("nftables", { kind: "mended", done: ["load"] }) }]);
});

test("where it cannot be looked at at once, it is looked at as every unit is, which tells others too", async () => {
  const troubles = { quick: () => undefined };
  expect((await watched(20, { watchers: yielding("nftables", [10]), ...troubles })).looks).toEqual([
    "0: x",
    "10.02: quick nftables",
    "10.02: nftables",
  ]);
  const { looks, news } = await watched(40, {
    watchers: yielding("nftables", [10, 30]),
    quick: () => {
      throw new ProblemError({ code: "test-problem", what: "no flock" });
    },
  });
  expect(looks).toEqual(["0: x", "10.02: quick nftables", "10.02: nftables", "30.02: quick nftables", "30.02: nftables"]);
  // Said once, however often it is so.
  expect(news).toEqual([{ kind: "trouble", doing: "looking at nftables at once", problem: { code: "test-problem", what: "no flock" } }]);
});

test("what could not be mended at once is tried again by another process, without an event", async () => {
  const { looks } = await watched(50, {
    watchers: yielding("nftables", [10]),
    quick: () => look("nftables", { kind: "failed", problem: { code: "test-problem", what: "nft crashed" } }),
  });
  expect(looks).toEqual(["0: x", "10.02: quick nftables", "11.02: tell", "40.02: nftables"]);
});

test("telling others makes way for what calls, and is made up for", async () => {
  const { looks, news } = await watched(100, {
    watchers: yielding("nftables", [10, 12]),
    takes: (names) => (names?.includes("tell") === true ? 20 : 0),
    quick: (count) => look("nftables", count === 1 ? { kind: "mended" } : {}),
  });
  expect(looks).toEqual(["0: x", "10.02: quick nftables", "11.02: tell", "12.02: quick nftables", "13: tell"]);
  expect(news).toHaveLength(1);
});

test("what may have to wait has its own look after that at everything, and makes way there too", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [], { makesWay: true })(clock),
    ...yielding("nftables", [602])(clock),
  ];
  const takes = (names: readonly string[] | undefined): number => (names?.includes("ipv6-monitor") === true ? 20 : 0);
  const { looks } = await watched(700, { watchers: both, takes });
  expect(looks).toEqual(["0: x", "600: all", "600: ipv6-monitor", "602.02: nftables", "603: ipv6-monitor"]);
});

test("of what is due at the same time, what may have to wait comes last", async () => {
  const both = (clock: VirtualClock): readonly Watcher<undefined>[] => [
    ...yielding("ipv6-monitor", [10], { makesWay: true })(clock),
    ...yielding("nftables", [10])(clock),
  ];
  expect((await watched(60, { watchers: both })).looks).toEqual(["0: x", "10.02: nftables", "10.02: ipv6-monitor"]);
});

test("what could not be mended is tried again, less and less often", async () => {
  const { looks } = await watched(1300, {
    answer: () => [look("x", { kind: "failed", problem: { code: "test-problem", what: "no router" } })],
  });
  expect(looks).toEqual(["0: x", "30: x", "90: x", "210: x", "450: x", "600: all", "900: x", "1200: x"]);
});

test("after a success the next failure is tried again soon", async () => {
  const { looks } = await watched(400, {
    answer: (_, count) => [
      look("x", count === 3 ? { kind: "mended", again: 100 } : { kind: "failed", problem: { code: "test-problem", what: "no" } }),
    ],
  });
  expect(looks).toEqual(["0: x", "30: x", "90: x", "190: x", "220: x", "280: x"]);
});

test("what is blocked waits for an event", async () => {
  const { looks } = await watched(3000, {
    answer: () => [look("ipv6-monitor", { kind: "blocked", problem: { code: "test-problem", what: "no carrier" } })],
    watchers: yielding("ipv6-monitor", [2000]),
  });
  expect(looks).toEqual(["0: x", "600: all", "2000.02: ipv6-monitor"]);
});

test("a unit may name the time of the next look", async () => {
  const { looks } = await watched(50, { answer: () => [look("backup-spool", { again: 20 })] });
  expect(looks).toEqual(["0: x", "20: backup-spool", "40: backup-spool"]);
});

test("a look that does not come to its end is told, and made up for", async () => {
  const { looks, news } = await watched(100, {
    answer: (_, count) => {
      if (count === 1) throw new ProblemError({ code: "test-problem", what: "the lock is held" });
      return [];
    },
  });
  expect(looks).toEqual(["0: x", "30: x"]);
  expect(news).toEqual([{ kind: "trouble", doing: "looking at x", problem: { code: "test-problem", what: "the lock is held" } }]);
});

test("a watcher that breaks is told, and set up again with a look", async () => {
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
  const { looks, news } = await watched(400, { watchers: broken });
  expect(times).toBe(2);
  expect(looks).toEqual(["0: x", "300.02: data-growth"]);
  // Said once, however often it is so.
  expect(news).toEqual([
    { kind: "trouble", doing: "watching over data-growth", problem: { code: "test-problem", what: "no such volume" } },
  ]);
});

test("an operator reads what changes, and nothing twice", async () => {
  const bad = { kind: "blocked", problem: { code: "test-problem", what: "broken file" } } as const;
  const answers = [look("nftables"), look("nftables", bad), look("nftables", bad), look("nftables"), look("nftables", { kind: "mended" })];
  const { news } = await watched(3 * 3600 + 601, { answer: (_, count) => [answers[count - 1] ?? look("nftables")] });
  expect(news.map((item) => (item.kind === "look" ? item.look.kind : item.doing))).toEqual(["blocked", "fine", "mended"]);
});
