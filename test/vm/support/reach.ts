import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import type { Completed } from "../../../src/system/command.ts";
import { stateFolder } from "../../../image/paths.ts";
import { tool } from "../../../lab/tool.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** A connection to an emulated, loaded machine. */
const TIMEOUT = 180_000;
const ALIAS = "node";

export interface Login {
  readonly account: string;
  /** A private key file; no key is offered when absent. */
  readonly key?: string;
  readonly command?: string;
}

/**
 * Logs in from the host, as an operator does, and believes no host key but those that the node keeps on its config
 * partition.
 *
 * @returns status 255 when ssh did not get in, else the command's own
 */
export async function ssh(vm: VirtualMachine, { account, key, command = "true" }: Login): Promise<Completed> {
  const identity = key === undefined ? ["PubkeyAuthentication=no"] : [`IdentityFile=${key}`, "IdentitiesOnly=yes"];
  const options = [
    ...identity,
    `UserKnownHostsFile=${await knownHosts(vm)}`,
    "GlobalKnownHostsFile=/dev/null",
    `HostKeyAlias=${ALIAS}`,
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    "LogLevel=INFO",
    `ConnectTimeout=${TIMEOUT / 1000}`,
  ];
  const args = ["-F", "none", "-p", String(vm.ports.ssh), ...options.flatMap((option) => ["-o", option]), `${account}@127.0.0.1`, command];
  return tool("ssh", args, { okStatuses: [0, 1, 255], timeout: TIMEOUT });
}

async function knownHosts(vm: VirtualMachine): Promise<string> {
  const keys = await vm.shell.ok("cat /boot/config/ssh/ssh_host_*_key.pub");
  const file = join(stateFolder(vm.name), "known_hosts");
  const lines = keys.trim().split("\n");
  await writeFile(file, lines.map((line) => `${ALIAS} ${line}\n`).join(""));
  return file;
}

export interface MetricsPage {
  readonly text: string;
  /** SHA-256 of the certificate that was shown. */
  readonly fingerprint: string;
}

/** Reads the metrics page over TLS, and believes that one certificate alone. */
export function metricsPage(vm: VirtualMachine, certificate: string): Promise<MetricsPage> {
  const { promise, resolve, reject } = Promise.withResolvers<MetricsPage>();
  const target = { host: "127.0.0.1", port: vm.ports.metrics, path: "/metrics", servername: "node-exporter", ca: certificate };
  const sent = request({ ...target, agent: false, timeout: TIMEOUT }, (response) => {
    const fingerprint = (response.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? "";
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => resolve({ text: Buffer.concat(chunks).toString(), fingerprint }));
  });
  sent.on("timeout", () => sent.destroy(new Error(`the metrics page did not answer within ${TIMEOUT / 1000} s`)));
  sent.on("error", reject);
  sent.end();
  return promise;
}
