import { X509Certificate } from "node:crypto";
import { afterAll, expect, vi } from "vitest";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { certificateFor, type TestPair } from "../../support/boundary-node.ts";
import { greeter } from "../support/boundary.ts";
import { guestosBoot, plannedUnits } from "../support/chain.ts";
import { pemSecrets } from "../../support/known-secrets.ts";
import { assertCleanBoot } from "../support/clean-boot.ts";
import { injectedNode } from "../support/injected-node.ts";
import { BOOT_TIMEOUT, bootedNode, untilBooted } from "../support/node.ts";

/** A boundary node after its first boot, for test/vm/boundary.test.ts and test/power/boundary.test.ts. */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

export const NAME = "boundary-node";
export const DOMAIN = "boundary.example.org";
export const VARS = `system_domains=${DOMAIN}\nipv4_replica_ips=10.0.2.0/24\n`;
/** What the monitor sees, it takes up within that time: an emulated machine under load. */
export const POLLING = { timeout: 180_000, interval: 500 };

export const first = certificateFor(DOMAIN);
export const second = certificateFor(DOMAIN);
const injected = await injectedNode();
export const { keys } = injected;
const pick = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, injected.config[name] ?? ""]));
export const node = bootedNode({
  name: NAME,
  profile: "boundary",
  config: {
    ...pick("network.conf", "nns.conf", "accounts_ssh_authorized_keys/admin", "nns_public_key.pem"),
    "bn_vars.conf": VARS,
    "denylist.json": '{ "canisters": {} }\n',
    "certs/fullchain.pem": first.certificate,
    "certs/privkey.pem": first.key,
    "ic_registry_local_store/00/01.pb": "registry of the test\n",
  },
});
const clean = { secrets: [first, second].flatMap(({ key }) => pemSecrets("a key of a certificate", key)) };
export const target = await greeter();
afterAll(() => target.close());

export const PROGRAMS = ["boundary-node-control-plane", "ic-router-control-plane-watcher", "icx-proxy"];

export function shown({ certificate }: TestPair): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** As the operator that has got another one: key first, so that there is no moment in which the monitor could take half of it. */
export async function putCertificate(vm: VirtualMachine, { certificate, key }: TestPair): Promise<void> {
  await vm.shell
    .ok(`cd /boot/config/certs && umask 077 && cat >new-key <<'END' && cat >new-chain <<'END2' && mv new-key privkey.pem && mv new-chain fullchain.pem
${key}END
${certificate}END2`);
}

export async function putVars(vm: VirtualMachine, text: string): Promise<void> {
  await vm.shell.ok(`cd /boot/config && umask 077 && cat >bn_vars.new <<'END' && mv bn_vars.new bn_vars.conf\n${text}END`);
}

/** What an operator asks a node that is well. */
export async function expectWell(vm: VirtualMachine): Promise<void> {
  expect(await untilBooted(vm)).toBe("running");
  expect(await vm.shell.ok("systemctl is-active guestos-boot.target")).toBe("active\n");
  const doctor = await guestosBoot(vm, "doctor");
  expect(doctor.status, doctor.stdout).toBe(0);
  const plan = await guestosBoot(vm, "plan --json");
  expect(new Set(Object.values(plannedUnits(plan))), plan.stdout).toEqual(new Set(["nothing"]));
  await assertCleanBoot(vm, clean);
}
