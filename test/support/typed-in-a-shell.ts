import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "./fixture-process.ts";

const share = join(import.meta.dirname, "../../share/completions");

/** The shells with nothing of the machine's own configuration, and the project's completions in them. */
const shells = {
  bash: { program: "bash --norc --noprofile -i", setUp: `source ${share}/guestos-boot.bash` },
  zsh: {
    program: "zsh -f -i",
    // -D: no dump of what was found, -u: any owner of the folder.
    setUp: `fpath=(${share} $fpath); autoload -U compinit; compinit -D -u`,
  },
} as const;

export type ShellName = keyof typeof shells;

/** Puts a `guestos-boot` on the path that completes as the fixture's does, and otherwise only notes what it was called with. @returns the environment */
export function completingProgram(fixture: Fixture): NodeJS.ProcessEnv {
  const folder = fixture.path("bin");
  mkdirSync(folder, { recursive: true });
  const program = join(folder, "guestos-boot");
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = complete ] && exec ${process.execPath} ${join(import.meta.dirname, "fixture-cli.ts")} "$@"\necho "$*" >${fixture.path("called")}.new\nmv ${fixture.path("called")}.new ${fixture.path("called")}\n`,
  );
  chmodSync(program, 0o755);
  // fish completes only what is there.
  symlinkSync(program, join(folder, "manageboot"));
  return { PATH: `${folder}:/usr/bin:/bin`, HOME: fixture.root, TERM: "dumb", LC_ALL: "C.UTF-8", FIXTURE_ROOT: fixture.root };
}

/**
 * Types a line into an interactive shell at a terminal, the Tab key included, and Enter.
 *
 * @returns what the program was called with then
 * @throws Error with what the terminal showed, when that takes longer than 30 s
 */
export async function typed(shell: ShellName, line: string, fixture: Fixture): Promise<string> {
  const { program, setUp } = shells[shell];
  const terminal = spawn("script", ["--quiet", "--flush", "--return", "--command", program, "/dev/null"], {
    cwd: fixture.root,
    env: completingProgram(fixture),
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  terminal.stdout.on("data", (chunk) => (shown += String(chunk)));
  try {
    // Not the words as they are typed, which the terminal echoes, but what they print.
    terminal.stdin.write(`${setUp}; echo rea''dy\n`);
    await until(
      () => shown.includes("ready\r\n"),
      () => shown,
    );
    // A completion runs within the line editor, which reads on when it is through.
    terminal.stdin.write(`${line}\n`);
    await until(
      () => existsSync(fixture.path("called")),
      () => shown,
    );
    return readFileSync(fixture.path("called"), "utf8").trim();
  } finally {
    terminal.kill("SIGKILL");
  }
}

async function until(holds: () => boolean, shown: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the shell did not come so far: ${JSON.stringify(shown())}`);
}
