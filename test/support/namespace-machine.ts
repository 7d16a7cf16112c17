import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import type { Layout } from "../../src/config/layout/layout.ts";
import type { Command } from "../../src/system/command.ts";
import { type Host, systemHost } from "../../src/system/host.ts";
import { parseMountinfo } from "../../src/system/disks/mounts.ts";
import { readFileSync } from "node:fs";
import { namespaceRoot } from "./namespace.ts";
import { testLayout } from "./test-layout.ts";
import { testMachine, type TestMachine } from "./test-machine.ts";

export interface NamespaceMachine extends TestMachine {
  readonly root: string;
  readonly layout: Layout;
  /** Tools that were run, since the machine was made. */
  readonly tools: readonly Command[];
  /** Where something of the machine is for the test: `at("/etc/ssh")`. */
  readonly at: (path: string) => string;
  /** The same machine over another host. */
  readonly over: (host: Host) => NamespaceMachine;
  /** Takes away what a reboot takes away: all mounts of the test, and what is below /run. */
  readonly reboot: () => void;
}

/**
 * A machine on a tmpfs of its own with the real tools, inside the namespace of the test run.
 *
 * @param files text by path
 * @param of whose places it has; a GuestOS's when absent
 */
export function namespaceMachine(files: Readonly<Record<string, string>>, of?: Layout): NamespaceMachine {
  const root = namespaceRoot();
  const at = (path: string): string => join(root, path);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
    chmodSync(at(path), 0o644);
  }
  const tools: Command[] = [];
  const host = systemHost({
    signal: new AbortController().signal,
    onTool: (command) => {
      tools.push(command);
      return () => undefined;
    },
  });
  const machine = (given: Host): NamespaceMachine => ({
    ...testMachine(given, testLayout(root, of)),
    ...{ root, tools, at, over: machine },
    reboot() {
      const below = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).filter(({ mountPoint }) =>
        mountPoint.startsWith(`${root}/`),
      );
      for (const { mountPoint } of below.toReversed()) {
        const { status, stderr } = spawnSync("umount", ["--", mountPoint], { encoding: "utf8" });
        if (status !== 0) throw new Error(`cannot unmount ${mountPoint}: ${stderr}`);
      }
      rmSync(at("/run"), { recursive: true, force: true });
    },
  });
  return machine(host);
}
