import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { writeRoot } from "./changed-root.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** An answer of an emulated, loaded machine. */
const TIMEOUT = 180_000;

interface Answer {
  readonly response: IncomingMessage;
  /** SHA-256 of the certificate that was shown. */
  readonly fingerprint: string;
}

/** Asks the node's nginx by that name, over a connection of its own, and believes any certificate: it is compared. @returns once the answer begins */
async function ask(vm: VirtualMachine, name: string, path: string): Promise<Answer> {
  const target = { host: "127.0.0.1", port: vm.ports.https, servername: name, headers: { host: name }, path };
  const sent = request({ ...target, agent: false, rejectUnauthorized: false, timeout: TIMEOUT });
  sent.on("timeout", () => sent.destroy(new Error(`${name} did not answer within ${TIMEOUT / 1000} s`)));
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { response, fingerprint: (response.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? "" };
}

/** A whole answer. */
export async function get(vm: VirtualMachine, name: string, path: string) {
  const { response, fingerprint } = await ask(vm, name, path);
  return { status: response.statusCode, fingerprint, body: await text(response) };
}

/** A download that has begun: its first bytes are there. */
export async function begin(vm: VirtualMachine, name: string, path: string) {
  const { response, fingerprint } = await ask(vm, name, path);
  const parts: string[] = [];
  response.setEncoding("utf8");
  response.on("data", (part: string) => parts.push(part));
  await once(response, "data");
  return {
    fingerprint,
    received: () => parts.join(""),
    /** @throws when the connection was cut */
    whole: async () => {
      if (!response.complete) await once(response, "end");
      return parts.join("");
    },
  };
}

const GREETING = Buffer.of(5, 1, 0);

/** Asks the node's SOCKS proxy (RFC 1928) for a connection. @returns what is said at its other end, or how it was refused */
export function throughSocks(vm: VirtualMachine, address: string, port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: vm.ports.socks });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let heard = Buffer.alloc(0);
  let state: "greeting" | "asked" | "open" = "greeting";
  socket.setTimeout(TIMEOUT, () => socket.destroy(new Error(`the SOCKS proxy did not answer within ${TIMEOUT / 1000} s`)));
  socket.on("connect", () => socket.write(GREETING));
  socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? resolve("closed") : reject(error)));
  socket.on("close", () => resolve(state === "open" ? heard.toString() : "closed"));
  socket.on("data", (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    if (state === "greeting" && heard.length >= 2) {
      heard = heard.subarray(2);
      state = "asked";
      socket.write(Buffer.of(5, 1, 0, 1, ...address.split(".").map(Number), port >> 8, port & 255));
    }
    if (state === "asked" && heard.length >= 10) {
      if (heard[1] !== 0) {
        resolve(`refused (${heard[1]})`);
        return void socket.destroy();
      }
      heard = heard.subarray(10);
      state = "open";
    }
  });
  return promise;
}

/** What is at the other end: a word for every caller, and the connection ends. @returns its port on the host, which the guest sees as 10.0.2.2 */
export async function greeter(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((socket) => socket.on("error", () => {}).end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const PROGRAMS = ["/usr/bin/icx-proxy", "/opt/ic/bin/boundary-node-control-plane", "/opt/ic/bin/ic-router-control-plane-watcher"];

const standIn = async (): Promise<string> => readFile(join(import.meta.dirname, "stand-in.pl"), "utf8");

/** Puts the stand-in into the places of the programs that an image may have, in this boot: a verified root cannot be written, so over it. */
export async function installPrograms(vm: VirtualMachine): Promise<void> {
  const copies = PROGRAMS.map((path) => `install -D -m 0755 /run/stand-in.pl ${path}`).join(" && ");
  await vm.shell.ok(`cat >/run/stand-in.pl <<'END'
${await standIn()}END
for folder in /usr/bin /opt; do
  mountpoint -q $folder && continue
  mkdir -p /run/over$folder/new /run/over$folder/work
  mount -t overlay -o lowerdir=$folder,upperdir=/run/over$folder/new,workdir=/run/over$folder/work overlay $folder
done
${copies} && rm /run/stand-in.pl`);
}

/** The same in the root itself, for an unverified next boot. */
export async function installProgramsInRoot(vm: VirtualMachine): Promise<void> {
  const content = await standIn();
  await writeRoot(
    vm,
    PROGRAMS.map((path) => ({ path, mode: "0755", content })),
  );
}
