import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { guestosLayout } from "../../src/config/layout/layout.ts";
import { networkNamespace, type NetworkNamespace } from "./network-namespace.ts";

/** A monitor, as on a node, in a network of its own with a /run of its own. The rest of the machine is not a node: it says so. */
export interface MonitoredNamespace {
  readonly inside: NetworkNamespace;
  readonly process: ChildProcess;
  /** Replaces the ruleset by rename, as editors and the orchestrator do. */
  readonly putRuleset: (content: string) => Promise<void>;
  readonly ruleset: () => Promise<string>;
  /** All that the monitor has written. */
  readonly output: () => Promise<string>;
  readonly usage: () => MonitorUsage;
  readonly stop: () => Promise<void>;
}

/** What the process of the monitor, without those that it starts, takes. */
export interface MonitorUsage {
  /** Bytes of memory that are its own, and of files that it has mapped. */
  readonly own: number;
  readonly mapped: number;
  readonly descriptors: number;
  /** Seconds of CPU since it started. */
  readonly cpu: number;
}

export const ruleset = guestosLayout.rulesets[0] ?? "";
const OUTPUT = "/run/output";
/** clock ticks a second: sysconf(_SC_CLK_TCK), 100 on all of Linux. */
const TICKS = 100;

/** @param program the program and its first arguments, without "monitor" */
export async function monitoredNamespace(program: readonly string[], content: string): Promise<MonitoredNamespace> {
  const inside = await networkNamespace();
  const putRuleset = async (text: string): Promise<void> => inside.host.writeFile(ruleset, text, { mode: 0o644 });
  await inside.host.makeFolder(ruleset.slice(0, ruleset.lastIndexOf("/")), { mode: 0o755 });
  await putRuleset(content);
  const child = inside.start("bash", ["-c", `exec "$@" monitor >${OUTPUT} 2>&1`, "bash", ...program]);
  const pid = (): number => child.pid ?? 0;
  return {
    inside,
    process: child,
    putRuleset,
    ruleset: async () => inside.run("nft", "list", "ruleset"),
    output: async () => (await inside.host.readText(OUTPUT)) ?? "",
    usage() {
      const status = readFileSync(`/proc/${pid()}/status`, "utf8");
      const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
      // After the name of the program in parentheses; utime and stime are fields 14 and 15 (proc(5)).
      const fields = readFileSync(`/proc/${pid()}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return {
        own: bytes("RssAnon"),
        mapped: bytes("RssFile"),
        descriptors: readdirSync(`/proc/${pid()}/fd`).length,
        cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
      };
    },
    stop: async () => {
      if (child.exitCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await Promise.race([exited, wait(5_000)]);
      }
      await inside.stop();
    },
  };
}
