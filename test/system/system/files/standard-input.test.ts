import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { repository } from "../../../../image/paths.ts";

const inSource = (path: string): string => JSON.stringify(join(repository, "src/system", path));
/** Runs a tool first, as an install does, then reads standard input and prints how much it was. */
const reader = (signal: string): string => `
  import { systemHost } from ${inSource("host.ts")};
  import { standardInput } from ${inSource("files/byte-source.ts")};
  const { signal } = new AbortController();
  await systemHost({ signal }).run({ program: "true", args: [] });
  let bytes = 0;
  try {
    for await (const piece of standardInput(${signal}).chunks) bytes += piece.length;
    console.log(bytes);
  } catch (error) {
    console.log(error.name);
  }`;
const args = (signal = "signal"): readonly string[] => ["--input-type=module", "--eval", reader(signal)];

test("what comes through a slow pipe is read to its end, also after a tool has run", () => {
  const script = '{ sleep 1; head -c 300000 /dev/zero; sleep 0.5; head -c 3000000 /dev/zero; } | "$@"';
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "pipe", process.execPath, ...args()], { encoding: "utf8" });
  expect(stdout, stderr).toBe("3300000\n");
});

// A pipe of Node's is a socket, and that of an ssh session is one too.
test("so is what comes through a socket", async () => {
  const child = spawn(process.execPath, args(), { stdio: ["pipe", "pipe", "inherit"] });
  const printed: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => printed.push(data));
  for (const bytes of [100_000, 2_000_000]) {
    await pause(300);
    child.stdin.write(Buffer.alloc(bytes));
  }
  child.stdin.end();
  await once(child, "close");
  expect(Buffer.concat(printed).toString()).toBe("2100000\n");
});

test("an abort does not wait for a pipe that stays silent, and the program ends", () => {
  const script = 'exec 3< <(sleep 600); "$@" <&3; status=$?; kill $!; exit $status';
  const command = ["-c", script, "pipe", process.execPath, ...args("AbortSignal.timeout(500)")];
  const { stdout, status } = spawnSync("bash", command, { encoding: "utf8", timeout: 30_000 });
  expect([stdout, status]).toEqual(["TimeoutError\n", 0]);
});

test("a file and a block device are read to their ends as well", () => {
  const file = join(mkdtempSync(join(tmpdir(), "standard-input-")), "image");
  writeFileSync(file, Buffer.alloc(2 * 1024 * 1024 + 512));
  const device = spawnSync("losetup", ["--find", "--show", file], { encoding: "utf8" }).stdout.trim();
  try {
    for (const path of [file, device]) {
      const script = '"$@" <"$INPUT"';
      const { stdout, stderr } = spawnSync("bash", ["-c", script, "input", process.execPath, ...args()], {
        encoding: "utf8",
        env: { ...process.env, INPUT: path },
      });
      expect(stdout, `${path}: ${stderr}`).toBe("2097664\n");
    }
  } finally {
    spawnSync("losetup", ["--detach", device]);
  }
});
