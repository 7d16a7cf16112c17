/**
 * Inside a process that is to be killed: every effect on the machine comes through `effect`, and every change that one makes to a file
 * through `step`.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FILLER } from "./filler.ts";
import { ENVIRONMENT, type Target } from "./target.ts";

const root = process.env[ENVIRONMENT.root] ?? "";
const NOTHING: Target = { effect: 0, moment: { kind: "before" }, list: "/dev/null", milliseconds: 0 };
const given = process.env[ENVIRONMENT.target];
export const target = given === undefined ? NOTHING : (JSON.parse(given) as Target);

interface Running {
  readonly isTarget: boolean;
  steps: number;
}

let count = 0;
const running = new AsyncLocalStorage<Running>();

/** Whether the tool that is run now is one that does not end. */
export function hangs(): boolean {
  return target.moment.kind === "hang" && count >= target.effect;
}

/** @param name for people: "write /boot/config/machine-id" */
export async function effect<R>(name: string, act: () => Promise<R>, isTool = false): Promise<R> {
  count += 1;
  const { moment } = target;
  const own: Running = { isTarget: count === target.effect, steps: 0 };
  if (own.isTarget && moment.kind === "before") die(name);
  if (own.isTarget && moment.kind === "full") fill();
  if (own.isTarget && moment.kind === "io-error") {
    list({ name, steps: 0, milliseconds: 0, isTool });
    throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: "EIO", errno: -5, syscall: "write" });
  }
  const start = performance.now();
  try {
    return await running.run(own, act);
  } finally {
    if (own.isTarget && moment.kind === "after") die(name);
    list({ name, steps: own.steps, milliseconds: performance.now() - start, isTool });
  }
}

/** @param half does a part of what the step does */
export async function step(half?: () => Promise<unknown>): Promise<void> {
  const own = running.getStore();
  if (own === undefined) return;
  own.steps += 1;
  if (!own.isTarget || target.moment.kind !== "middle" || target.moment.step !== own.steps) return;
  await half?.();
  die(`step ${own.steps}`);
}

function list(line: object): void {
  appendFileSync(target.list, `${JSON.stringify(line)}\n`);
}

/** As systemd ends a service: the process, and whatever it has started. Nothing of what a `finally` would do is done. */
function die(where: string): never {
  list({ killed: where });
  for (const task of readdirSync("/proc/self/task")) {
    for (const child of readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" ")) {
      if (child === "") continue;
      // Tools lead a group of their own.
      for (const pid of [-Number(child), Number(child)]) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended.
        }
      }
    }
  }
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Takes up all that is left on every file system of the machine. */
function fill(): void {
  const places = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ").slice(4, 5))
    .filter((place) => place.startsWith(`${root}/`) && !/\/etc\//.test(place));
  for (const place of new Set(places)) {
    const file = openSync(join(place, FILLER), "w");
    for (let size = 1 << 20; size >= 1; size >>= 4) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // ENOSPC: smaller pieces may still fit.
      }
    }
    closeSync(file);
  }
}
