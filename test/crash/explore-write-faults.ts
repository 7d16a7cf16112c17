/**
 * `make test-crash`: a disk that fails at a write of a first boot, at many of them, and then does not fail any more.
 *
 *   FAULT="120 all"   that fault alone: from the 120th write on; "120 one" for that write alone
 *   FAULTS=n          until n faults are known (100)
 *   MINUTES=n         no further one after that time
 *
 * Results are kept in build/crash/write-faults.jsonl; what is in there is not done again. Exit status 1 when something did not hold.
 */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { program } from "../../lab/program.ts";
import { type FailingDisk, failingDisk } from "./failing-disk.ts";
import { crashFolder } from "./recording.ts";
import { subjects } from "./subjects.ts";
import { faultName, faultNamed, spreadFaults } from "./write-faults.ts";

const results = join(crashFolder, "write-faults.jsonl");

async function main(): Promise<number> {
  const end = Date.now() + Number(process.env["MINUTES"] || "Infinity") * 60_000;
  using subject = await subjects["first-boot"](console.log);
  const { recording, log } = subject;
  const writes = log.entries.filter(({ length, discard }) => length > 0 && !discard).length;
  console.log(`${writes} writes of a first boot; results in ${results}`);
  const judge = await subject.judge();
  const only = process.env["FAULT"] ?? "";
  if (only !== "") {
    const result = await failingDisk("crash-failing", recording, judge, faultNamed(only));
    console.log(JSON.stringify(result, undefined, 2));
    // What was known of it before counts no more.
    await appendFile(results, `${JSON.stringify(result)}\n`);
    return result.faults.length === 0 ? 0 : 1;
  }
  const lines = existsSync(results) ? (await readFile(results, "utf8")).split("\n").slice(0, -1) : [];
  const all = lines.map((line) => JSON.parse(line) as FailingDisk).filter((result) => result.recording === recording.id);
  const known = new Map(all.map((result) => [result.fault, result]));
  for (const fault of spreadFaults(writes).take(Number(process.env["FAULTS"] || "100"))) {
    if (known.has(faultName(fault))) continue;
    if (Date.now() > end) break;
    const result = await failingDisk("crash-failing", recording, judge, fault);
    known.set(result.fault, result);
    await appendFile(results, `${JSON.stringify(result)}\n`);
    console.log(resultText(result));
  }
  const bad = [...known.values()].filter(({ faults }) => faults.length > 0);
  for (const { fault } of bad) console.log(`again: make test-crash FAULT="${fault}"`);
  const ended = [...known.values()].filter(({ failed }) => failed.length > 0).length;
  console.log(`${known.size} failing disks, on ${ended} of which the chain did not do all; ${bad.length} failed`);
  return bad.length === 0 ? 0 : 1;
}

function resultText({ fault, failed, seconds, redone, faults }: FailingDisk): string {
  const words = [
    `${failed.length === 0 ? "nothing failed" : failed.join("; ")}; ${seconds.failing} s`,
    `${redone.length} redone; ${seconds.boot} s`,
  ];
  return `${faults.length === 0 ? "holds " : "FAILED"} ${fault.padEnd(9)} ${words.join("; then ")}${faults.map((text) => `\n         ${text}`).join("")}`;
}

await program(main);
