import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { activate, conflict, joined, type Plan } from "../../boot/unit.ts";
import { type BnVars, readBnVars, servedDomains } from "../../config/bn-vars.ts";
import { type CertificatePair, checkCertificatePair } from "../../config/values/certificate-pair.ts";
import { readNetworkConf } from "../../config/node-network.ts";
import { nginxConf } from "../../config/nginx-conf.ts";
import { checkNginxConf } from "../../system/nginx.ts";
import { Secret } from "../../base/secret.ts";
import { boundaryData } from "../injection/boundary-data.ts";
import { planConfiguredService, type ServiceFile } from "./configured-service.ts";
import { type Machine, unit } from "../machine.ts";
import { network, networkApplied } from "../network/network.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";

/**
 * Afterwards nginx answers for the domains of bn_vars.conf with the certificate in /boot/config/certs, and forwards requests to icx-proxy.
 *
 * It requires the bus, because it starts a service, the injected data, to which the certificates belong, and the network. New domains, name
 * servers and certificates take effect by a reload, which drops no connection. A configuration that nginx refuses does not replace the one
 * in use. If it fails, the boot is degraded: a node that does not serve can still be inspected. A conflict means that no domain is named,
 * that there is no certificate, or that systemd cannot start nginx. No client is ever served without a certificate.
 */
export const nginx = unit({
  name: "nginx",
  title: "Serve HTTPS",
  requires: [boundaryData, network, systemBus],
  after: [networkApplied],
  owns: ["/run/ic-node/etc/nginx", "/run/guestos-boot/nginx.service.configured"],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  // A faulty configuration is not put in force, and a good one drops no connection.
  repairs: true,
  async plan(machine) {
    const { host, layout } = machine;
    const vars = await readBnVars(host, layout);
    const domains = servedDomains(vars);
    if (domains.length === 0) {
      return conflict({
        code: "no-nginx-domain",
        what: "no domain is configured for nginx; nginx was not changed",
        where: { file: layout.config.injected.bnVars },
        found: "neither system_domains nor application_domains",
        expected: "at least one of them",
        todo: "name the domains there",
      });
    }
    const pair = await readPair(machine);
    if (pair === undefined) {
      return conflict({
        code: "no-nginx-certificate",
        what: "there is no certificate for nginx; nginx was not changed",
        found: "no fullchain.pem and privkey.pem",
        expected: `both in ${dirname(layout.config.injected.certificateKey)}`,
        todo: "put them there, as the certificate authority issued them",
      });
    }
    return planNginx(machine, vars, domains, pair);
  },
});

const SERVICE = "nginx.service";

async function readPair(machine: Machine): Promise<CertificatePair | undefined> {
  const { host, layout } = machine;
  const { certificateChain: chainFile, certificateKey: keyFile } = layout.config.injected;
  const [chain, key] = await Promise.all([host.readBytes(chainFile), host.readBytes(keyFile)]);
  return chain === undefined || key === undefined ? undefined : { chain, chainFile, key: new Secret(key), keyFile };
}

async function planNginx(machine: Machine, vars: BnVars, domains: readonly string[], pair: CertificatePair): Promise<Plan> {
  const { host, layout } = machine;
  const names = [...domains, ...vars.api_domains];
  const notes = checkCertificatePair(pair, names, host.now());
  const { name_servers } = await readNetworkConf(host, layout);
  // Each certificate has a folder of its own: after a failed reload, nginx must still find the previous certificate.
  const generation = `tls-${createHash("sha256").update(pair.chain).digest("hex").slice(0, 16)}`;
  const at = (name: string): string => join(layout.nginx, generation, name);
  const tls: readonly ServiceFile[] = [
    { path: at("fullchain.pem"), content: pair.chain, mode: 0o644 },
    { path: at("privkey.pem"), content: pair.key.expose(), mode: 0o600 },
  ];
  const settings = {
    domains,
    apiDomains: vars.api_domains,
    certificate: at("fullchain.pem"),
    key: at("privkey.pem"),
    folder: layout.nginx,
    resolvers: name_servers,
    certifiesRaw: vars.require_underscore_certification === "1",
  };
  const plan = await planConfiguredService(machine, {
    service: SERVICE,
    files: [...tls, { path: join(layout.nginx, "nginx.conf"), content: nginxConf(settings), mode: 0o644 }],
    renew: "reload",
    does: `serve ${names.join(" ")}`,
    check: (path) => checkNginxConf(host, path),
    notes,
  });
  const stale = ((await host.list(layout.nginx)) ?? []).filter((name) => name.startsWith("tls-") && name !== generation);
  const removals = stale.map((name) => {
    const folder = join(layout.nginx, name);
    return activate(`remove ${folder}, a certificate that is no longer used`, () => host.remove(folder));
  });
  return joined([plan, removals]);
}
