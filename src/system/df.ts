import { quoted } from "../base/quoted.ts";
import type { Host } from "./host.ts";
import { ProblemError } from "../base/problem.ts";

/** Bytes that programs may still use on the file system mounted there (df(1)). */
export async function freeBytes(host: Host, mountPoint: string): Promise<number> {
  const { stdout } = await host.run({ program: "df", args: ["--block-size=1", "--output=avail", mountPoint] });
  const number = /^\s*(\d+)\s*$/m.exec(stdout)?.[1];
  if (number !== undefined) return Number(number);
  throw new ProblemError({ code: "df-not-readable", what: `df did not say what is free at ${mountPoint}`, found: quoted(stdout) });
}
