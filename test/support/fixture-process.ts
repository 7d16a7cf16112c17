import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namespaceRoot } from "./namespace.ts";

/** How a run, and the status of a boot, show that `strict` failed: with the file `in-the-way` it does. */
export const STRICT_FAILED = `strict failed
  something is in the way
  at       /in-the-way
  found    a file
  expected none
  to do    remove it
  code     test-problem
  skipped  lenient`;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FixtureOptions {
  readonly uid?: number;
  /** The one group that it is in; that of the same number as `uid` when absent. */
  readonly gid?: number;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder of its own, and the fixture's command line over it. */
export class Fixture {
  readonly root = namespaceRoot();

  constructor() {
    // namespaceRoot is a mount point; what stands for /var must be one too, or no record is kept there.
    mkdirSync(join(this.root, "var"));
    mkdirSync(join(this.root, "collector"));
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Makes an empty file: how its units are told what to do. */
  touch(name: string): void {
    writeFileSync(this.path(name), "");
  }

  start(
    args: readonly string[],
    { uid, gid = uid, env = {} }: FixtureOptions = {},
  ): { readonly process: ChildProcess; readonly ended: Promise<Ended> } {
    const child = spawn(process.execPath, [join(import.meta.dirname, "fixture-cli.ts"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, FIXTURE_ROOT: this.root, NO_COLOR: "", ...env },
      ...(uid === undefined ? {} : { uid, gid: gid ?? uid }),
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk) => (stdout += String(chunk)));
      child.stderr.on("data", (chunk) => (stderr += String(chunk)));
      child.on("error", reject);
      child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
    });
    return { process: child, ended };
  }

  async run(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Waits until a unit has made that file. @throws Error after ten seconds */
  async appears(name: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (existsSync(this.path(name))) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${name} did not appear`);
  }
}
