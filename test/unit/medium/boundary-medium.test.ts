import { expect, test } from "vitest";
import { inspectBootstrapTar, type Inspection } from "../../../src/medium/bootstrap-tar.ts";
import { boundary } from "../../../src/profiles/boundary.ts";
import { boundaryMedium } from "../../../src/medium/boundary-medium.ts";
import { guestosMedium } from "../../../src/medium/guestos-medium.ts";
import { configTarget, dataTarget, stagingFolders } from "../../../src/medium/medium-contents.ts";
import type { Problem } from "../../../src/base/problem.ts";
import { makeTlsKey } from "../../support/certificate.ts";
import { problemOf } from "../../support/problem-of.ts";
import { pieces, rawTar } from "../../support/raw-tar.ts";

const inspect = async (files: Readonly<Record<string, string>>): Promise<Inspection> =>
  inspectBootstrapTar(pieces(rawTar(Object.entries(files).map(([name, content]) => ({ name, content })))), "t.tar", boundaryMedium);
const refused = async (name: string, content: string): Promise<Problem> => problemOf(async () => inspect({ [name]: content }));

const ID = "rdmx6-jaaaa-aaaaa-aaadq-cai";
const NNS_KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

test("everything that a boundary node may be given is taken, and stays on the config partition", async () => {
  const { config, data, warnings } = await inspect({
    "network.conf": "hostname=bn1\n",
    "nns.conf": "nns_url=http://[2001:db8::1]:8080\n",
    "bn_vars.conf": "system_domains=ic0.app\n",
    "ic_boundary.conf": "max_concurrency=1000\nshed_ewma_param=0.9\n",
    "certificate_issuer.conf": "certificate_issuer_cloudflare_api_key=abc\n",
    "certificate_issuer_identity.pem": makeTlsKey(),
    "certificate_issuer_enc_key.pem": "whatever its program reads\n",
    "denylist.json": `{ "canisters": { "${ID}": { "localities": ["CH", "US"] } } }\n`,
    "canister-ratelimit.yml": "- canister_id: x\n  limit: 10/1m\n",
    "pre_isolation_canisters.txt": `${ID}\n`,
    "nns_public_key.pem": NNS_KEY,
    "accounts_ssh_authorized_keys/admin": "# no one\n",
    "certs/fullchain.pem": "c",
    "certs/privkey.pem": "k",
    "buildinfo/version": "1",
    "geolite2_dbs/GeoLite2-Country.mmdb": "g",
    "ic_registry_local_store/00/01.pb": "r",
  });
  expect(warnings).toEqual([]);
  expect([...config.keys()]).toEqual(expect.arrayContaining([...boundaryMedium.configFiles.keys()].filter((name) => !name.includes("/"))));
  expect(data.map(({ target }) => target)).toEqual(["buildinfo", "certs", "geolite2_dbs", "ic_registry_local_store"]);
  expect(dataTarget(boundaryMedium, boundary.layout, "certs")).toBe("/boot/config/certs");
  expect(configTarget(boundary.layout, "bn_vars.conf")).toBe("/boot/config/bn_vars.conf");
  expect(stagingFolders(boundaryMedium, boundary.layout)).toEqual(["/boot/config/.injection"]);
});

test("a medium of another system alone, and one of nothing, configure no boundary node", async () => {
  expect(await refused("ic_state/x", "x")).toMatchObject({
    what: "there is no configuration in the tar",
    found: '"ic_state/x"',
    expected: expect.stringContaining("bn_vars.conf") as string,
  });
  expect(await refused("bn_vars.conf", "\n")).toMatchObject({ what: "there is no configuration in the tar", found: '"bn_vars.conf"' });
  expect(await refused("certs/privkey.pem", "")).toMatchObject({ what: "there is no configuration in the tar" });
});

test("a key of nothing is none", async () => {
  for (const name of ["certificate_issuer_enc_key.pem", "certificate_issuer_identity.pem", "nns_public_key.pem"])
    expect(await refused(name, " \n"), name).toMatchObject({
      where: { file: `t.tar: ${name}` },
      what: expect.stringMatching(/does not hold a/) as string,
    });
});

test("what holds a password or a key is for root alone", () => {
  const secret = [...boundaryMedium.configFiles].filter(([, { mode }]) => mode === 0o600).map(([name]) => name);
  expect(secret).toEqual(["bn_vars.conf", "certificate_issuer.conf", "certificate_issuer_identity.pem", "certificate_issuer_enc_key.pem"]);
  expect(boundaryMedium.trees.filter(boundaryMedium.isSecret)).toEqual(["certs"]);
});

test.each(["node_operator_private_key.pem", "ic_crypto/key", "ic_state/x", "backup.conf", "nftables.conf", "journalbeat.conf"])(
  "%s is a GuestOS's, and is ignored",
  async (name) => {
    const { config, data, warnings } = await inspect({ "network.conf": "hostname=bn1\n", [name]: "x" });
    expect([[...config.keys()], data]).toEqual([["network.conf"], []]);
    expect(warnings).toEqual([expect.stringContaining(name)]);
  },
);

test.each(["bn_vars.conf", "certs/privkey.pem", "denylist.json"])("%s is none of a GuestOS's", async (name) => {
  const { warnings } = await inspectBootstrapTar(
    pieces(
      rawTar([
        { name: "network.conf", content: "hostname=a\n" },
        { name, content: "x" },
      ]),
    ),
    "t.tar",
    guestosMedium,
  );
  expect(warnings).toEqual([expect.stringContaining(name)]);
});

test.each([
  ["bn_vars.conf", "system_domains=ic0.app\nsystem_domains=ic0.dev, -bad.app\n", 2, 25, '"-bad.app"'],
  ["bn_vars.conf", "system_domains=ic0.app\nsystem_domains=ic0.app\n", 2, 16, '"ic0.app"'],
  ["bn_vars.conf", "application_domains=localhost\n", 1, 21, '"localhost"'],
  ["bn_vars.conf", "system_domains=ic0.app;include\n", 1, 16, '"ic0.app;include"'],
  ["bn_vars.conf", "api_domains=$(reboot).app\n", 1, 13, '"$(reboot).app"'],
  ["bn_vars.conf", "ipv6_replica_ips=2001:db8::/32,2001:db8::1/32\n", 1, 32, '"2001:db8::1/32"'],
  ["bn_vars.conf", "ipv4_replica_ips=0.0.0.0/0\n", 1, 18, '"0.0.0.0/0"'],
  ["bn_vars.conf", "ipv4_http_ips=192.0.2.0\n", 1, 15, '"192.0.2.0"'],
  ["bn_vars.conf", "socks_interface=eth0 port\n", 1, 17, '"eth0 port"'],
  ["bn_vars.conf", "socks_interface=../../etc\n", 1, 17, '"../../etc"'],
  ["bn_vars.conf", "require_seo_certification=yes\n", 1, 27, '"yes"'],
  ["bn_vars.conf", "last_known_registry_version=-1\n", 1, 29, '"-1"'],
  ["bn_vars.conf", "env=production\n", 1, 5, '"production"'],
  ["bn_vars.conf", "sytem_domains=ic0.app\n", 1, 1, '"sytem_domains"'],
  ["bn_vars.conf", "env=dev\nenv=dev\n", 2, 1, "env in line 1 and again in line 2"],
  ["ic_boundary.conf", "max_concurrency=0\n", 1, 17, '"0"'],
  ["ic_boundary.conf", "shed_ewma_param=1.5\n", 1, 17, '"1.5"'],
  ["denylist.json", '{\n "canisters": {\n  "bogus": {} } }', 3, 3, '"bogus"'],
  ["denylist.json", `{ "canisters": {\n "${ID}": { "localities": ["ch"] } } }`, 2, 35, "a country of two capital letters, as in CH"],
  ["pre_isolation_canisters.txt", `${ID}\n${ID} 1; }\n`, 2, 1, `"${ID} 1; }"`],
  ["canister-ratelimit.yml", "limit: 1\x1b[2J\n", 1, 9, '"\\u001b"'],
] as const)("in %s, %j is refused with its place", async (name, content, line, column, found) => {
  const problem = await refused(name, content);
  expect(problem.where).toEqual({ file: `t.tar: ${name}`, line, column });
  expect(problem.found).toBe(found);
});

test.each(["{", '{ "canisters": { }', '{ "canisters": {}, }', "[]", '{ "canisters": [] }', "null", ""])(
  "as a denylist, %j is refused",
  async (content) => {
    expect(await refused("denylist.json", content)).toMatchObject({ where: { file: "t.tar: denylist.json", line: 1 } });
  },
);

test("a password is not shown, whatever is wrong with its line", async () => {
  for (const content of [
    "certificate_issuer_acme_key hunter2\n",
    "certificate_issuer_acme_key=hunter2\ncertificate_issuer_acme_key=hunter3\n",
  ])
    expect(JSON.stringify(await refused("certificate_issuer.conf", content))).not.toContain("hunter");
  expect(JSON.stringify(await refused("bn_vars.conf", "logging_password=hunter2\nlogging_password=hunter3\n"))).not.toContain("hunter");
});

test("a list of canisters may be long, and has an end", async () => {
  const many = `${ID}\n`.repeat(100_000);
  expect((await inspect({ "pre_isolation_canisters.txt": many })).config.size).toBe(1);
  expect(await refused("pre_isolation_canisters.txt", `${ID}\n`.repeat(160_000))).toMatchObject({ expected: "at most 4194304 bytes" });
});
