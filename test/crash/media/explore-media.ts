/**
 * Damages VFAT media by the thousand, in a user-mode Linux whose root is this host's, read-only: its kernel has VFAT and loop devices, and its
 * programs run on the real processor. Which images are tried follows from SEED.
 *
 *   MEDIA=n  how many (5000); a twentieth more change while they are read
 *   SEED=n   (1)
 *   CASE=n   that damaged one alone, as it is named where it fails
 *
 * Exit status 1 when one was not taken or refused in order, or the kernel complained.
 */
import { spawn } from "node:child_process";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { program } from "../../../lab/program.ts";
import { userModeKernel } from "../../../lab/user-mode/kernel.ts";

const INIT = join(import.meta.dirname, "init.bash");

/** Milliseconds for the machine itself, and for each medium on a busy host: it ends what hangs. */
const SURROUNDINGS = 300_000;
const LONGEST = 5_000;

async function main(): Promise<number> {
  const kernel = await userModeKernel();
  const count = process.env["MEDIA"] || "5000";
  await using folder = await mkdtempDisposable(join(tmpdir(), "guestos-boot-media-"));
  const words = [
    ...["mem=1G", "seccomp=on", "quiet", "rootfstype=hostfs", "rootflags=/", "ro", `init=${INIT}`],
    ...["con=null", "con0=null,fd:1", `uml_dir=${folder.path}`, "umid=media"],
    ...[`MEDIA=${count}`, `SEED=${process.env["SEED"] || "1"}`, `CASE=${process.env["CASE"] || "0"}`],
  ];
  const start = performance.now();
  const machine = spawn("setpriv", ["--pdeathsig", "KILL", kernel, ...words], {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: SURROUNDINGS + Number(count) * LONGEST,
    killSignal: "SIGKILL",
    env: { PATH: process.env["PATH"], TMPDIR: "/dev/shm" },
  });
  let faults = 0;
  let isEnded = false;
  for await (const line of createInterface({ input: machine.stdout })) {
    if (line.startsWith('{"end"')) isEnded = true;
    else if (/^(?:\{"fault"|kernel: )/.test(line)) faults += 1;
    else if (!line.startsWith('{"tried"')) continue;
    console.log(line);
  }
  console.log(`${((performance.now() - start) / 60_000).toFixed(1)} minutes, ${faults} faults`);
  if (!isEnded) console.log("the machine ended before it had tried all");
  return isEnded && faults === 0 ? 0 : 1;
}

await program(main);
