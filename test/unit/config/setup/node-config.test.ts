import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { scanHostosConfig } from "../../../../src/config/hostos-config.ts";
import { osConfigText } from "../../../../src/config/os-config-text.ts";
import { type CheckedNode, checkNodeConfig } from "../../../../src/config/setup/node-config.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { NODE_FOLDER, SSH_KEY } from "../../../support/node-folders.ts";
import { problemOf } from "../../../support/problem-of.ts";

const MAC = "b0:7b:25:c8:f6:c0";
const INI = NODE_FOLDER["config.ini"];
const DEPLOYMENT = NODE_FOLDER["deployment.json"];

type Files = Readonly<Record<string, string | undefined>>;

async function check(others: Files = {}, mac: string | undefined = MAC): Promise<CheckedNode> {
  const files = Object.entries<string | undefined>({ ...NODE_FOLDER, ...others }).flatMap(([name, content]) =>
    content === undefined ? [] : [[`/node7/${name}`, content] as const],
  );
  return checkNodeConfig(fakeHost({ files: Object.fromEntries(files) }), "/node7", mac);
}

/** What is said, by kind, code and file. */
function said({ mistakes, warnings, unknown }: CheckedNode): readonly string[] {
  const of = (kind: string, problems: CheckedNode["mistakes"]): readonly string[] =>
    problems.map(({ code, where }) => `${kind} ${code}${where === undefined ? "" : ` ${where.file}`}`);
  return [...of("mistake", mistakes), ...of("warning", warnings), ...of("unknown", unknown)];
}

const pem = ({ privateKey }: { readonly privateKey: KeyObject }): string => privateKey.export({ type: "pkcs8", format: "pem" });

/** What is said of a folder that is good but for these files. */
const folders: readonly (readonly [title: string, others: Files, ...said: readonly string[]])[] = [
  ["a good folder", {}],
  ["no config.ini", { "config.ini": undefined }, "mistake file-missing config.ini"],
  ["config.ini in capitals", { "config.ini": undefined, "CONFIG.INI": INI }, "mistake file-missing config.ini"],
  ["no deployment.json", { "deployment.json": undefined }, "unknown deployment-unknown"],
  [
    "deployment.json under another name",
    { "deployment.json": undefined, "deployment.json.txt": DEPLOYMENT },
    "warning file-ignored deployment.json.txt",
    "unknown deployment-unknown",
  ],
  ["deployment.json that is none", { "deployment.json": "{" }, "mistake not-json deployment.json"],
  ["a folder of that name", { "deployment.json": undefined, "deployment.json/x": "" }, "mistake not-a-file deployment.json"],
  ["no ssh keys", { "ssh_authorized_keys/admin": undefined }],
  ["an empty file of ssh keys", { "ssh_authorized_keys/admin": "" }],
  ["ssh keys of three accounts", { "ssh_authorized_keys/backup": SSH_KEY, "ssh_authorized_keys/readonly": SSH_KEY }],
  [
    "two lines that are no ssh keys",
    { "ssh_authorized_keys/admin": "x\ny\n" },
    "mistake not-a-public-key ssh_authorized_keys/admin",
    "mistake not-a-public-key ssh_authorized_keys/admin",
  ],
  [
    "a private ssh key",
    { "ssh_authorized_keys/admin": "-----BEGIN OPENSSH PRIVATE KEY-----" },
    "mistake private-key-in-keys ssh_authorized_keys/admin",
  ],
  [
    "ssh keys of an account that there is not",
    { "ssh_authorized_keys/root": SSH_KEY },
    "warning key-file-ignored ssh_authorized_keys/root",
  ],
  [
    "ssh keys with the end of a name",
    { "ssh_authorized_keys/admin.pub": SSH_KEY },
    "warning key-file-ignored ssh_authorized_keys/admin.pub",
  ],
  [
    "a file in the place of the folder of ssh keys",
    { "ssh_authorized_keys/admin": undefined, ssh_authorized_keys: SSH_KEY },
    "mistake not-a-folder ssh_authorized_keys",
  ],
  ["a folder of ssh keys under another name", { "ssh_authorised_keys/admin": SSH_KEY }],
  ["no operator's key", { "node_operator_private_key.pem": undefined }, "warning operator-key-missing"],
  [
    "no operator's key of an old machine, which has an HSM",
    { "node_operator_private_key.pem": undefined, "config.ini": INI.replace("type3.1", "type1.1") },
  ],
  ["an operator's key of Ed25519", { "node_operator_private_key.pem": pem(generateKeyPairSync("ed25519")) }],
  [
    "an operator's key of another curve",
    { "node_operator_private_key.pem": pem(generateKeyPairSync("ec", { namedCurve: "prime256v1" })) },
    "mistake operator-key-kind node_operator_private_key.pem",
  ],
  [
    "an operator's key of RSA",
    { "node_operator_private_key.pem": pem(generateKeyPairSync("rsa", { modulusLength: 2048 })) },
    "mistake operator-key-kind node_operator_private_key.pem",
  ],
  ["an operator's key that is empty", { "node_operator_private_key.pem": "" }, "mistake wrong-file-content node_operator_private_key.pem"],
  [
    "an operator's key with a damaged block",
    { "node_operator_private_key.pem": NODE_FOLDER["node_operator_private_key.pem"].slice(0, -20) },
    "mistake wrong-file-content node_operator_private_key.pem",
  ],
  ["a public key of the NNS that is none", { "nns_public_key.pem": "x" }, "mistake wrong-file-content nns_public_key.pem"],
  ["trusted execution", { "config.ini": `${INI}enable_trusted_execution_environment=true\n` }, "unknown certificates-unknown"],
  ["a cloud engine", { "config.ini": INI.replace("type3.1", "type4.2") }, "unknown guests-unknown"],
  [
    "another address of the BMC in deployment.json",
    { "deployment.json": DEPLOYMENT.replace("null", '"70:b5:e8:e8:25:de"') },
    "warning mac-twice deployment.json",
  ],
  ["the same address there", { "deployment.json": DEPLOYMENT.replace("null", `"${MAC.toUpperCase()}"`) }],
  ["a gateway that is the node itself", { "config.ini": INI.replace("17::1", "17:6801:ff:feec:bd51") }, "mistake gateway-twice config.ini"],
];

test.each(folders.map(([title, others, ...expected]) => ({ title, others, expected })))("$title", async ({ others, expected }) => {
  const checked = await check(others);
  expect(said(checked)).toEqual(expected);
  const isGood = checked.mistakes.length === 0 && !expected.includes("unknown deployment-unknown");
  expect(checked.hostosConfig !== undefined).toBe(isGood);
  expect(JSON.stringify(checked)).not.toMatch(/PRIVATE KEY-----\\n[A-Za-z0-9+/]{20}/);
});

test("without the address of the BMC no address is told, and no configuration is made", async () => {
  const checked = await checkNodeConfig(
    fakeHost({ files: { "/node7/config.ini": INI, "/node7/deployment.json": DEPLOYMENT } }),
    "/node7",
    undefined,
  );
  expect(said(checked)).toEqual(["warning operator-key-missing", "unknown mac-unknown"]);
  expect(checked).toMatchObject({ systems: [], hostosConfig: undefined, guestosConfig: undefined });
});

test("with a prefix that cannot be used, the MAC addresses are told alone", async () => {
  const { systems } = await check({ "config.ini": INI.replace("801:17\n", "801\n") });
  expect(systems[2]).toEqual({ name: "GuestOS", mac: "6a:01:00:ec:bd:51" });
});

test("without an environment that can be used, no address is told: it is a part of each", async () => {
  expect((await check({ "deployment.json": DEPLOYMENT.replace("mainnet", "moonnet") })).systems).toEqual([]);
});

test("the address of the BMC in deployment.json is enough", async () => {
  const { systems } = await check(
    { "deployment.json": DEPLOYMENT.replace("null", '"70:b5:e8:e8:25:de"').replace("mainnet", "testnet") },
    undefined,
  );
  expect(systems[1]).toMatchObject({ name: "HostOS", mac: "6a:00:f8:87:a4:8a" });
});

test("what is shown is what is stored: the text of the host's configuration is read as the same, without a word", async () => {
  const ipv4 = "ipv4_address=212.71.124.178\nipv4_gateway=212.71.124.177\nipv4_prefix_length=28\ndomain=node1.example.org\nverbose=true\n";
  for (const others of [{}, { "config.ini": `${INI}${ipv4}` }, { "node_operator_private_key.pem": undefined }]) {
    const { hostosConfig = expect.unreachable() } = await check(others);
    const { config, findings, notes } = scanHostosConfig(osConfigText(hostosConfig), "config.json");
    expect({ findings, notes }).toEqual({ findings: [], notes: [] });
    expect(osConfigText(config)).toEqual(osConfigText(hostosConfig));
  }
});

test("there is no folder", async () => {
  expect(await problemOf(() => checkNodeConfig(fakeHost(), "/node7", MAC))).toMatchObject({ code: "folder-missing" });
});
