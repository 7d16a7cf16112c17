import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ProfileName } from "../../../src/profiles/profiles.ts";
import type { Booted } from "./command-line.ts";
import { type KnownSecret, namesFound, secretsIn } from "../../support/known-secrets.ts";
import { FILLER } from "./filler.ts";
import { TOLD } from "./told.ts";
import { ENVIRONMENT, type Target } from "./target.ts";

/** File systems of a machine, with their size in MiB. */
const PLACES: Readonly<Record<string, number>> = {
  "boot/config": 8,
  "boot/grub": 1,
  run: 8,
  var: 8,
  "var/lib/ic/data": 8,
  "var/lib/ic/crypto": 2,
};
const OF_KEYS = /^boot\/config\/.*(?:key|\.pem)/;
const KEPT = /\.(?:jsonl?|prom)$/;
/** What the test itself put there. */
const BROUGHT = /^mnt\//;

/** What ends what hangs, in milliseconds. */
const TIMEOUT = 90_000;

/** A key of the node, which the medium brings. */
export const CRYPTO_SECRET: KnownSecret = { name: "the node's crypto", bytes: Buffer.from("c7a1f5e2-not-for-anyone-9b3d") };

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** Of a process of its own. */
  readonly milliseconds: number;
}

/** What is on a machine: a word on kind, mode, owner and content, by path. What has another content each time is in `random`. */
export interface Snapshot {
  readonly entries: ReadonlyMap<string, string>;
  /** Digests of files. */
  readonly contents: ReadonlyMap<string, string>;
}

/** A machine on file systems of its own, in the namespaces of the worker that makes it. */
export class CrashMachine implements Disposable {
  readonly root: string;
  readonly #profile: ProfileName;

  /** @param from a folder with its content */
  constructor(root: string, profile: ProfileName, from?: string) {
    this.root = root;
    this.#profile = profile;
    mkdirSync(root, { recursive: true });
    const mounts = Object.entries(PLACES).map(
      ([place, size]) => `mkdir -p ${place}; mount -t tmpfs -o size=${size}m,mode=0755 tmpfs ${place}`,
    );
    sh([`mount -t tmpfs -o mode=0755 tmpfs ${root}`, `cd ${root}`, ...mounts, ...(from === undefined ? [] : [`cp --archive ${from}/. .`])]);
  }

  put(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
      chmodSync(join(this.root, path), 0o644);
    }
  }

  /** Runs guestos-boot on it in a process of its own, to which something happens. */
  async run(args: readonly string[], target: Target): Promise<Ended> {
    const child = spawn(process.execPath, [join(import.meta.dirname, "program.ts"), ...this.#here(args)], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT,
      killSignal: "SIGABRT",
      env: {
        ...process.env,
        GUESTOS_OBSERVE: "1",
        [ENVIRONMENT.root]: this.root,
        [ENVIRONMENT.profile]: this.#profile,
        [ENVIRONMENT.target]: JSON.stringify(target),
      },
    });
    return new Promise((resolve, reject) => {
      let output = "";
      const start = performance.now();
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
      child.on("error", reject);
      child.on("close", (status, signal) => resolve({ status, signal, output, milliseconds: performance.now() - start }));
    });
  }

  /** Runs guestos-boot on it in this process, which saves its start: nothing happens to that. */
  async runHere(args: readonly string[]): Promise<Ended> {
    const { guestosBootOn } = await import("./command-line.ts");
    let output = "";
    const status = await guestosBootOn(this.#booted, this.#here(args), (text) => (output += `${text}\n`));
    return { status, signal: null, output, milliseconds: 0 };
  }

  get #booted(): Booted {
    return { root: this.root, profile: this.#profile };
  }

  #here(args: readonly string[]): readonly string[] {
    return args.map((arg) => arg.replace(/^ROOT/, this.root));
  }

  /** Takes away what a reboot takes away. */
  reboot(): void {
    this.unbind();
    rmSync(join(this.root, "proc"), { recursive: true, force: true });
    for (const name of readdirSync(join(this.root, "run"))) rmSync(join(this.root, "run", name), { recursive: true });
    mkdirSync(join(this.root, "run/node_exporter/collector_textfile"), { recursive: true });
    resetKernel();
  }

  /** Takes away what is mounted over the image's own files. */
  unbind(): void {
    for (const place of mountsBelow(join(this.root, "etc"))) sh([`umount ${place}`]);
  }

  /** Gives back the space that a hook took. */
  unfill(): void {
    for (const place of ["", ...Object.keys(PLACES)]) rmSync(join(this.root, place, FILLER), { force: true });
  }

  /** What a boot on it has told systemd since the machine was booted. */
  told(): string {
    const file = join(this.root, TOLD);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /**
   * Secrets of the machine that are where they may not be: in what was printed, in a file that everyone can read, or in a record, a state, a
   * metric, or what was observed for a replay. Its own keys and what the medium brought are searched for, as they are, as hexadecimal digits and as base64.
   */
  leaks(printed: string): readonly string[] {
    const files = readdirSync(this.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => ({ path: relative(this.root, path), mode: lstatSync(path).mode }));
    const content = (path: string): Buffer => readFileSync(join(this.root, path));
    const secrets = [CRYPTO_SECRET, ...files.flatMap(({ path }) => (OF_KEYS.test(path) ? secretsIn(path, content(path)) : []))];
    const found = namesFound(secrets, Buffer.from(printed)).map((name) => `${name} was printed`);
    for (const { path, mode } of files)
      if (((mode & 0o004) !== 0 || KEPT.test(path)) && !BROUGHT.test(path))
        found.push(...namesFound(secrets, content(path)).map((name) => `${name} is in ${path}`));
    return found;
  }

  snapshot(): Snapshot {
    const entries = new Map<string, string>();
    const contents = new Map<string, string>();
    const walk = (folder: string): void => {
      for (const name of readdirSync(join(this.root, folder))) {
        const path = join(folder, name);
        if (NOT_OF_THE_STATE.test(path)) continue;
        const facts = lstatSync(join(this.root, path));
        const about = `${(facts.mode & 0o7777).toString(8)} ${facts.uid}:${facts.gid}`;
        if (facts.isDirectory()) {
          entries.set(path, `folder ${about}`);
          walk(path);
        } else if (facts.isFile()) {
          entries.set(path, `file ${about}`);
          contents.set(path, digest(readFileSync(join(this.root, path))));
        } else entries.set(path, facts.isSymbolicLink() ? `link ${readlinkSync(join(this.root, path))}` : "other");
      }
    };
    walk("");
    return { entries, contents };
  }

  [Symbol.dispose](): void {
    sh([`umount --recursive ${this.root}`]);
    rmSync(this.root, { recursive: true });
    resetKernel();
  }
}

/** The medium, the record, what tells the time or who runs, and what a hook made. */
const NOT_OF_THE_STATE = /^(mnt|run\/guestos-boot|run\/node_exporter|var\/lib\/guestos-boot)(\/|$)|\.crash-filler$/;

/** Ids and times of day are others each time; the rest of what tells them is not. */
function digest(bytes: Buffer): string {
  const isText = bytes.length < 64 * 1024 && !bytes.includes(0);
  const content = isText
    ? bytes
        .toString()
        .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b/g, "UUID")
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    : bytes;
  return createHash("sha256").update(content).digest("hex");
}

/** The namespaces of a worker: their host name, their packet filter. */
export function resetKernel(): void {
  writeFileSync("/proc/sys/kernel/hostname", "localhost");
  execFileSync("nft", ["flush", "ruleset"]);
}

function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ").slice(4, 5))
    .filter((place) => place.startsWith(`${folder}/`))
    .toReversed();
}

export function sh(lines: readonly string[]): void {
  const { status, stderr } = spawnSync("sh", ["-euc", lines.join("\n")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${lines.join("; ")}: ${stderr}`);
}
