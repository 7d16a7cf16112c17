import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { boundary } from "../../src/profiles/boundary.ts";
import { configFiles, type Layout } from "../../src/config/layout/layout.ts";
import type { Host } from "../../src/system/host.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

const tools = join(import.meta.dirname, "../../build/tools");

/** Debian's nginx and danted, as tools/setup.sh has unpacked them. */
export const daemons = { nginx: join(tools, "nginx/nginx"), danted: join(tools, "dante-server/danted") } as const;

/** A boundary node in a namespace, whose config partition is a folder of its /run. */
export const boundaryTestLayout: Layout = {
  ...boundary.layout,
  mountPoints: { ...boundary.layout.mountPoints, config: "/run/config" },
  config: configFiles("/run/config"),
};

/** The machine inside, with the daemons in its PATH. */
export function boundaryHost({ host }: NetworkNamespace): Host {
  return {
    ...host,
    run: async (command) =>
      host.run({ ...command, program: command.program in daemons ? daemons[command.program as keyof typeof daemons] : command.program }),
  };
}

/** Puts a file onto the config partition. */
export async function writeConfig({ host }: NetworkNamespace, name: string, content: string): Promise<void> {
  const path = join(boundaryTestLayout.mountPoints.config, name);
  await host.makeFolder(dirname(path), { mode: 0o755 });
  await host.writeFile(path, content, { mode: 0o600 });
}

export interface TestPair {
  readonly certificate: string;
  readonly key: string;
}

/** A new self-signed certificate for those names, and its key. */
export function certificateFor(...names: readonly string[]): TestPair {
  const folder = mkdtempSync(join(tmpdir(), "guestos-boot-pair-"));
  const [keyFile, certificateFile] = [join(folder, "key"), join(folder, "certificate")];
  try {
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", `/CN=${names[0]}`],
        ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`, "-keyout", keyFile, "-out", certificateFile],
      ],
      { stdio: "pipe" },
    );
    return { certificate: readFileSync(certificateFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A program of a few lines that runs inside and talks by lines. */
export interface Talk {
  readonly child: ChildProcess;
  /** The next line that it prints. @throws Error when it has ended */
  readonly line: () => Promise<string>;
  readonly say: (line: string) => void;
}

/** Runs a script of Node's inside. It is stopped with the namespace. */
export function talkInside({ pid }: NetworkNamespace, script: string, ...args: readonly string[]): Talk {
  const entered = ["--target", String(pid), "--net", "--mount", "--"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "nsenter", ...entered, process.execPath, "--eval", script, "--", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  void once(child, "error").catch(() => undefined);
  return {
    child,
    async line() {
      const { done, value } = await lines.next();
      if (done === true) throw new Error("the script has ended");
      return value;
    },
    say: (text) => void child.stdin.write(`${text}\n`),
  };
}

/** Runs it to its end. @returns the one line that it prints */
export async function askInside(namespace: NetworkNamespace, script: string, ...args: readonly string[]): Promise<string> {
  return talkInside(namespace, script, ...args).line();
}
