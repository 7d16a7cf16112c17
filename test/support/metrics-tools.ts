import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "node:tls";

const tools = join(import.meta.dirname, "../../build/tools");
const PROMTOOL = join(tools, "prometheus/promtool");
const PROMETHEUS = join(tools, "prometheus/prometheus");
const NODE_EXPORTER = join(tools, "prometheus-node-exporter/prometheus-node-exporter");

/** Runs promtool of Debian's prometheus package, as tools/setup.sh has unpacked it. @returns its exit status, and all that it said */
export function promtool(args: readonly string[], input?: string): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL, args, { encoding: "utf8", input });
  if (error !== undefined) throw error;
  return { status, said: stdout + stderr };
}

export interface Served {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Debian's node exporter, with its textfile collector alone, as the given user. */
export async function nodeExporter(folder: string, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<Served> {
  const address = await freeAddress();
  const args = [`--web.listen-address=${address}`, "--collector.disable-defaults", "--collector.textfile"];
  const child = spawn(NODE_EXPORTER, [...args, `--collector.textfile.directory=${folder}`], {
    stdio: ["ignore", "ignore", "pipe"],
    uid,
    gid,
  });
  return served(child, address, "/metrics");
}

/**
 * The fingerprint of the certificate with which Debian's node exporter serves, given the pair in that folder.
 *
 * @throws Error where it does not take the pair
 */
export async function servedCertificate(folder: string): Promise<string> {
  const address = await freeAddress();
  const config = join(mkdtempSync(join(tmpdir(), "web-")), "web.yml");
  writeFileSync(config, `tls_server_config:\n  cert_file: ${folder}/node_exporter.crt\n  key_file: ${folder}/node_exporter.key\n`);
  const args = [`--web.listen-address=${address}`, "--collector.disable-defaults", `--web.config.file=${config}`];
  const child = spawn(NODE_EXPORTER, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => (log += String(chunk)));
  const exited = once(child, "exit");
  try {
    const port = Number(address.slice(address.indexOf(":") + 1));
    const certificate = await eventually(
      async () => peerCertificate(port),
      (answer) => answer !== undefined || child.exitCode !== null,
    );
    if (certificate === undefined) throw new Error(`node_exporter ended: ${log}`);
    return certificate;
  } finally {
    child.kill("SIGKILL");
    await exited;
    rmSync(dirname(config), { recursive: true });
  }
}

/** `undefined` where no one answers yet, or with something else than TLS. */
async function peerCertificate(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerX509Certificate()?.fingerprint256;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Debian's Prometheus, with that configuration and a data folder. */
export async function prometheus(config: string, data: string): Promise<Served> {
  const address = await freeAddress();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`];
  return served(spawn(PROMETHEUS, args, { stdio: ["ignore", "ignore", "pipe"] }), address, "/-/ready");
}

/** Asks until the answer is there. @throws Error with the last answer after a minute */
export async function eventually<T>(ask: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    if (tries === 300) throw new Error(`not there after a minute: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function served(child: ChildProcess, address: string, path: string): Promise<Served> {
  let log = "";
  child.stderr?.on("data", (chunk) => (log = `${log}${String(chunk)}`.slice(-4000)));
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
  };
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended: ${log}`);
    return fetch(`http://${address}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await eventually(isReady, (ready) => ready).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { address, stop };
}

export async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `127.0.0.1:${address.port}`;
}
