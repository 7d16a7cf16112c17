import fc from "fast-check";
import { expect, test } from "vitest";
import { ProblemError } from "../../../../src/base/problem.ts";
import {
  type DeploymentJson,
  type DeploymentJsonFile,
  scanDeploymentJson,
  VM_RESOURCES,
} from "../../../../src/config/setup/deployment-json.ts";
import { PKCS8, shownPieces } from "../../../support/private-keys.ts";
import { problemOf } from "../../../support/problem-of.ts";

const scan = (content: string | Uint8Array): DeploymentJsonFile => scanDeploymentJson(Buffer.from(content), "deployment.json");

const MAINNET = ["https://icp-api.io", "https://icp0.io", "https://ic0.app"];
const URLS = '["https://icp-api.io", "https://icp0.io", "https://ic0.app"]';
const VM = '"dev_vm_resources": {"memory": "16", "cpu": "kvm", "nr_of_vcpus": 64}';
const today = (deployment: string, nns = `{"urls": ${URLS}}`, vm = VM): string =>
  `{\n"deployment": ${deployment},\n"nns": ${nns},\n${vm}\n}\n`;
const withDeployment = (members: string): string => today(`{${members}}`);
const withNns = (members: string): string => today('{"deployment_environment": "mainnet"}', `{${members}}`);
const withVm = (vm: string): string => today('{"deployment_environment": "mainnet"}', undefined, vm);
const middle = `{
  "deployment": { "deployment_environment": "mainnet", "mgmt_mac": null },
  "logging": { "elasticsearch_hosts": "", "elasticsearch_tags": "" },
  "nns": { "urls": ${URLS} },
  "vm_resources": { "memory": "490", "cpu": "kvm", "nr_of_vcpus": 64 }
}`;
const seed = `{
  "deployment": { "name": "mainnet", "mgmt_mac": null },
  "logging": { "hosts": "a.example.org:443 b.example.org:443" },
  "nns": { "url": "https://icp-api.io,https://icp0.io,https://ic0.app" },
  "resources": { "memory": "490", "cpu": "kvm" }
}`;
const plain: DeploymentJson = {
  environment: "mainnet",
  mgmtMac: undefined,
  nnsUrls: MAINNET,
  vmResources: { ...VM_RESOURCES, processors: 64 },
};

/** What is read of a file without a mistake, and its warnings by place and code. */
const good: readonly (readonly [title: string, text: string, deployment: DeploymentJson, ...warnings: readonly string[]])[] = [
  ["today's file", today('{"deployment_environment": "mainnet", "mgmt_mac": null}'), plain],
  ["today's file on one line", today('{"deployment_environment":"mainnet"}').replaceAll("\n", ""), plain],
  ["the line ends of Windows", today('{"deployment_environment": "mainnet"}').replaceAll("\n", "\r\n"), plain],
  ["the environment in capitals", withDeployment('"deployment_environment": "Mainnet"'), plain],
  [
    "the address of a BMC",
    withDeployment('"deployment_environment": "mainnet", "mgmt_mac": "B0-7B-25-C8-F6-C0"'),
    { ...plain, mgmtMac: "b0:7b:25:c8:f6:c0" },
  ],
  ["URLs with a slash behind them", withNns('"urls": ["https://icp-api.io/"]'), { ...plain, nnsUrls: ["https://icp-api.io"] }],
  ["a URL twice", withNns('"urls": ["https://icp-api.io/", "https://icp-api.io"]'), { ...plain, nnsUrls: ["https://icp-api.io"] }],
  [
    "a file for testing",
    today(
      '{"deployment_environment": "testnet"}',
      '{"urls": ["http://[2602:ffe4:801:17::9]:8080"]}',
      '"dev_vm_resources": {"memory": "8", "cpu": "qemu", "nr_of_vcpus": 4}',
    ),
    {
      environment: "testnet",
      mgmtMac: undefined,
      nnsUrls: ["http://[2602:ffe4:801:17::9]:8080"],
      vmResources: { memory: 8, cpu: "qemu", processors: 4 },
    },
  ],
  ["logging that sends nothing", withVm(`${VM}, "logging": {}`), plain],
  // What is taken, and told.
  ["a file of 2024", middle, { ...plain, vmResources: { memory: 490, cpu: "kvm", processors: 64 } }, "5:19 file-of-the-past"],
  ["a file of 2024 without memory", middle.replace('"memory": "490", ', ""), plain, "5:19 file-of-the-past"],
  ["a file of 2022", seed, { ...plain, vmResources: { memory: 490, cpu: "kvm", processors: 16 } }, "2:27 file-of-the-past"],
  [
    "a file of 2022 without an address of a BMC",
    seed.replace(', "mgmt_mac": null', ""),
    { ...plain, vmResources: { memory: 490, cpu: "kvm", processors: 16 } },
    "2:27 file-of-the-past",
  ],
  [
    "two names of the environment that agree",
    withDeployment('"deployment_environment": "mainnet", "name": "mainnet"'),
    plain,
    "2:61 file-of-the-past",
  ],
  [
    "a text with commas in a list",
    withNns('"urls": ["https://icp-api.io,https://icp0.io,https://ic0.app"]'),
    plain,
    "3:18 urls-in-one-text",
  ],
  ["a name that is not known", withVm(`${VM}, "dns": {}`), plain, "4:79 unknown-name"],
  ["a name further down that is not known", withDeployment('"deployment_environment": "mainnet", "rack": 7'), plain, "2:61 unknown-name"],
  [
    "the URLs of another network",
    withNns('"urls": ["https://example.org"]'),
    { ...plain, nnsUrls: ["https://example.org"] },
    "3:8 other-network",
  ],
  [
    "the URLs of mainnet for a network of tests",
    withDeployment('"deployment_environment": "testnet"'),
    { ...plain, environment: "testnet" },
    "3:8 other-network",
  ],
];

test.each(good.map(([title, text, deployment, ...warnings]) => ({ title, text, deployment, warnings })))("$title: no mistake", (row) => {
  const { deployment, findings, warnings } = scan(row.text);
  expect(findings).toEqual([]);
  expect(deployment).toEqual(row.deployment);
  expect(warnings.map(({ where, code }) => `${where?.line}:${where?.column} ${code}`)).toEqual(row.warnings);
});

/** The mistakes of a file by place and code, in the order of their places. */
const bad: readonly (readonly [title: string, text: string, ...mistakes: readonly string[]])[] = [
  ["an empty object", "{}", "1:1 value-missing", "1:1 value-missing", "1:1 value-missing"],
  ["a byte order mark", `\ufeff${today('{"deployment_environment": "mainnet"}')}`, "1:1 byte-order-mark"],
  ["no environment", withDeployment('"mgmt_mac": null'), "2:15 value-missing"],
  ["an environment that there is not", withDeployment('"deployment_environment": "moonnet"'), "2:42 value-not-usable"],
  ["an environment that was not filled in", withDeployment('"deployment_environment": "DEPLOYMENT_ENVIRONMENT"'), "2:42 value-not-usable"],
  ["an environment without a word", withDeployment('"deployment_environment": ""'), "2:42 value-not-usable"],
  ["a name of 2022 that is no network", seed.replace('"mainnet"', '"small01"'), "2:27 value-not-usable"],
  [
    "two names of the environment that differ",
    withDeployment('"deployment_environment": "mainnet", "name": "testnet"'),
    "2:61 value-not-usable",
  ],
  ["a deployment that is a text", today('"mainnet"'), "2:15 value-not-usable"],
  [
    "an address of a BMC without a byte",
    withDeployment('"deployment_environment": "mainnet", "mgmt_mac": "b0:7b:25:c8:f6"'),
    "2:65 value-not-usable",
  ],
  ["an address of a BMC that is empty", withDeployment('"deployment_environment": "mainnet", "mgmt_mac": ""'), "2:65 value-not-usable"],
  [
    "an address of a BMC of zeros",
    withDeployment('"deployment_environment": "mainnet", "mgmt_mac": "00:00:00:00:00:00"'),
    "2:65 value-not-usable",
  ],
  [
    "an address of a group",
    withDeployment('"deployment_environment": "mainnet", "mgmt_mac": "01:00:5e:00:00:01"'),
    "2:65 value-not-usable",
  ],
  ["no URLs", withNns(""), "3:8 value-missing"],
  ["an empty list of URLs", withNns('"urls": []'), "3:17 value-not-usable"],
  ["no nns", `{"deployment": {"deployment_environment": "mainnet"}, ${VM}}`, "1:1 value-missing"],
  ["URLs as a text", withNns('"urls": "https://icp-api.io"'), "3:17 value-not-usable"],
  ["the text of 2022 as a list", seed.replace(/"https.*app"/, URLS), "4:19 value-not-usable"],
  ["a URL without its scheme", withNns('"urls": ["icp-api.io"]'), "3:18 value-not-usable"],
  ["a URL with a broken scheme", withNns('"urls": ["https//icp0.io", "https://icp-api.io"]'), "3:18 value-not-usable"],
  ["a URL of another scheme", withNns('"urls": ["ftp://icp-api.io"]'), "3:18 value-not-usable"],
  ["a URL that is a number", withNns('"urls": [7]'), "3:18 value-not-usable"],
  ["a URL with a password", withNns('"urls": ["https://a:secret@icp-api.io"]'), "3:18 value-not-usable"],
  ["no resources", `{"deployment": {"deployment_environment": "mainnet"}, "nns": {"urls": ${URLS}}}`, "1:1 value-missing"],
  ["memory as a number", withVm(VM.replace('"16"', "16")), "4:32 value-not-usable"],
  ["memory with a unit", withVm(VM.replace('"16"', '"16G"')), "4:32 value-not-usable"],
  ["no memory", withVm(VM.replace('"memory": "16", ', "")), "4:21 value-missing"],
  ["processors as a text", withVm(VM.replace("64", '"64"')), "4:67 value-not-usable"],
  ["no processors", withVm(VM.replace(', "nr_of_vcpus": 64', "")), "4:21 value-missing"],
  ["processors that are 0", withVm(VM.replace("64", "0")), "4:67 value-not-usable"],
  ["a processor that there is not", withVm(VM.replace("kvm", "xen")), "4:45 value-not-usable"],
  ["resources that are a list", withVm('"dev_vm_resources": []'), "4:21 value-not-usable"],
  [
    "three mistakes",
    today('{"deployment_environment": "main"}', '{"urls": ["x"]}', VM.replace("64", "-1")),
    "2:42 value-not-usable",
    "3:18 value-not-usable",
    "4:67 value-not-usable",
  ],
];

test.each(bad.map(([title, text, ...mistakes]) => ({ title, text, mistakes })))("$title: told with its place", ({ text, mistakes }) => {
  const findings = scan(text).findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
  expect(findings.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(mistakes);
  expect(JSON.stringify(findings)).not.toContain("secret");
});

/** What is no JSON object: one mistake ends the reading. */
const unreadable: readonly (readonly [
  title: string,
  text: string | Uint8Array,
  place: readonly [number, number] | undefined,
  code: string,
])[] = [
  ["an empty file", "", [1, 1], "not-json"],
  ["a comma behind the last member", '{\n"a": 1,\n}', [3, 1], "not-json"],
  ["no comma", '{"a": 1\n"b": 2}', [2, 1], "not-json"],
  ["a comment", '{ // x\n"a": 1}', [1, 3], "not-json"],
  ["single quotes", "{'a': 1}", [1, 2], "not-json"],
  ["URLs that were not filled in", today('{"deployment_environment": "mainnet"}', '{"urls": NNS_URLS}'), [3, 17], "not-json"],
  ["a name twice", '{"nns": {},\n"nns": {}}', [2, 1], "not-json"],
  ["a list", "[]", [1, 1], "value-not-usable"],
  ["a text in UTF-16", Buffer.from("{}", "utf16le"), [1, 1], "text-in-utf16"],
  ["a file that is too long", `{"a": "${"x".repeat(64 * 1024)}"}`, undefined, "file-too-long"],
  ["objects deep within each other", '{"a":'.repeat(17), [1, 81], "not-json"],
];

test.each(unreadable)("%s is refused by its place", async (_, text, place, code) => {
  const { where, ...problem } = await problemOf(() => scan(text));
  expect(problem.code).toBe(code);
  expect(where).toEqual({ file: "deployment.json", ...(place === undefined ? {} : { line: place[0], column: place[1] }) });
});

test("what may be a secret is not shown, in no value and in no name", () => {
  const [secret = ""] = /^\w{40,}.*$/m.exec(PKCS8) ?? [];
  for (const text of [
    today(`{"deployment_environment": "${secret}", "mgmt_mac": ${JSON.stringify(PKCS8)}}`),
    today(`{"deployment_environment": "mainnet", "${secret}": 1}`),
    today('{"deployment_environment": "mainnet"}', `{"urls": ["${secret}"]}`),
  ]) {
    const { findings, warnings } = scan(text);
    expect(findings.length + warnings.length).toBeGreaterThan(0);
    expect(shownPieces(PKCS8, JSON.stringify([findings, warnings]))).toEqual([]);
  }
});

test("the tables have thirty files and more", () => {
  expect(good.length + bad.length + unreadable.length).toBeGreaterThanOrEqual(30);
});

const value = fc.oneof(fc.jsonValue(), fc.constantFrom("mainnet", "https://icp0.io", "kvm", "16", 64, ["https://icp0.io,x"]));
const anyDeployment = fc.oneof(
  fc.string().map((text) => Buffer.from(text)),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc
    .record(
      {
        deployment: fc.oneof(value, fc.record({ deployment_environment: value, name: value, mgmt_mac: value }, { requiredKeys: [] })),
        nns: fc.oneof(value, fc.record({ urls: value, url: value }, { requiredKeys: [] })),
        dev_vm_resources: fc.oneof(value, fc.record({ memory: value, cpu: value, nr_of_vcpus: value }, { requiredKeys: [] })),
        resources: value,
        other: value,
      },
      { requiredKeys: [] },
    )
    .map((document) => Buffer.from(JSON.stringify(document, undefined, 1))),
);

test("of any bytes every mistake and warning has a place in the file", () => {
  fc.assert(
    fc.property(anyDeployment, (content) => {
      try {
        const { findings, warnings } = scan(content);
        const lines = content.toString("utf8").split("\n");
        for (const { line = 0, column = 0 } of [...findings, ...warnings.map(({ where }) => where ?? expect.unreachable())]) {
          expect(lines[line - 1]).toBeDefined();
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
        }
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        expect(error.problem.where).toMatchObject({ file: "deployment.json" });
      }
    }),
  );
});
