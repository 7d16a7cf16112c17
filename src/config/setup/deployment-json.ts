import { refuseFindings } from "../../base/finding.ts";
import { nearest } from "../../base/nearest.ts";
import type { Problem } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import { NnsUrls } from "../guestos-values.ts";
import { MARK_FINDING, refuseUtf16 } from "../text/editor-text.ts";
import { JsonFile } from "../text/json-file.ts";
import type { JsonPath } from "../text/json-scan.ts";
import { given, type JsonFinding, matching, pathText, scanSettings, section, text, whole } from "../text/json-settings.ts";
import { shownText } from "../text/shown-text.ts";
import { LONGEST_TEXT } from "../text/text-lines.ts";
import type { Environment } from "../values/deterministic-address.ts";
import { readCardAddress } from "../values/mac-address.ts";

/** A secret may have been pasted into it. */
const BOUNDS = { longest: LONGEST_TEXT, deepest: 16, fit: shownText };

const environment = given(
  '"mainnet" or "testnet"',
  text((found): Environment | undefined => (["mainnet", "testnet"] as const).find((name) => name === found.toLowerCase())),
);
/** GiB. A text: the installer of today refuses a number. */
const memory = given('a number of GiB as a text, as in "16"', matching(/^[1-9]\d{0,4}$/));
const cpu = given('"kvm" or "qemu"', matching(/^(?:kvm|qemu)$/));
const processors = given("a whole number from 1 to 4096", whole(1, 4096));

/**
 * deployment.json as its readers of all times have it (dfinity/ic, rs/ic_os/config/tool/src/setupos/deployment_json.rs and its predecessors).
 * Names that only an older one has are in `PAST`.
 */
const Deployment = section({
  deployment: z.prefault(
    section({
      deployment_environment: environment,
      name: environment,
      mgmt_mac: given("the MAC address of a BMC, as in b0:7b:25:c8:f6:c0, or null", text(readCardAddress)),
    }),
    {},
  ),
  nns: z.prefault(section({ urls: NnsUrls, url: NnsUrls }), {}),
  dev_vm_resources: z.optional(section({ memory, cpu, nr_of_vcpus: processors })),
  vm_resources: z.optional(section({ memory, cpu, nr_of_vcpus: processors })),
  resources: z.optional(section({ memory, cpu, nr_of_vcpus: processors })),
  // Where logs were sent to.
  logging: z.optional(z.unknown()),
});

/** Names that an older installer reads, and today's does not; with the time of that one. */
const PAST: readonly (readonly [path: readonly [string, ...string[]], time: string])[] = [
  [["deployment", "name"], "2022 and 2023"],
  [["nns", "url"], "2022 and 2023"],
  [["resources"], "2022 and 2023"],
  [["vm_resources"], "2024"],
];

/** What the guest's VM gets in an image for development. Others have constants of their own. */
export interface VmResources {
  /** GiB. */
  readonly memory: number;
  readonly cpu: string;
  readonly processors: number;
}

/** The defaults of HostOSDevSettings (dfinity/ic, rs/ic_os/config/types). */
export const VM_RESOURCES: VmResources = { memory: 16, cpu: "kvm", processors: 16 };

/** What an image says of the network that its nodes join. */
export interface DeploymentJson {
  readonly environment: Environment | undefined;
  /** The address of the BMC, where the machine has none that can be asked. */
  readonly mgmtMac: string | undefined;
  readonly nnsUrls: readonly string[];
  readonly vmResources: VmResources;
}

export interface DeploymentJsonFile {
  /** The usable values. */
  readonly deployment: DeploymentJson;
  readonly findings: readonly JsonFinding[];
  /** As in `ConfigIniFile`. */
  readonly warnings: readonly Problem[];
}

/** @throws ProblemError with line and column when it is no JSON object, or beyond the bounds */
export function scanDeploymentJson(content: Uint8Array, file: string): DeploymentJsonFile {
  refuseUtf16(content, file);
  const json = new JsonFile(content, file, BOUNDS);
  const finding = (path: JsonPath, expected: string): JsonFinding => {
    const at = { path, ...json.place(path), found: json.shown(path), expected };
    const name = pathText(path);
    return json.range(path) === undefined
      ? { ...at, code: "value-missing", what: `${name} has no value` }
      : { ...at, code: "value-not-usable", what: `${name} is not usable` };
  };
  if (typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) refuseFindings(file, [finding([], "an object")]);
  const { value, findings, unknown } = scanSettings(json, Deployment);
  const { deployment, nns, dev_vm_resources: development } = value;
  const isNamed = (path: JsonPath): boolean => json.range(path) !== undefined;
  const past = PAST.filter(([path]) => isNamed(path));
  const named = deployment.deployment_environment ?? deployment.name;
  const urls = [...new Set([...nns.urls, ...nns.url])];
  // A mistake in it, or in what it is in.
  const has = (path: JsonPath): boolean =>
    findings.some((known) => path.slice(0, known.path.length).every((name, index) => known.path[index] === name));
  const needed = (path: JsonPath, expected: string): readonly JsonFinding[] => (has(path) ? [] : [finding(path, expected)]);
  const resources = development ?? value.vm_resources ?? value.resources;
  const own = [
    ...(json.hasByteOrderMark ? [{ path: [], ...MARK_FINDING }] : []),
    ...(named === undefined && !has(["deployment", "name"])
      ? needed(["deployment", "deployment_environment"], '"mainnet" or "testnet"')
      : []),
    ...(deployment.deployment_environment !== undefined &&
    deployment.name !== undefined &&
    deployment.name !== deployment.deployment_environment
      ? [finding(["deployment", "name"], `${deployment.deployment_environment}, as in deployment_environment`)]
      : []),
    ...(urls.length === 0 && !has(["nns", "url"]) ? needed(["nns", "urls"], "a list of at least one http:// or https:// URL") : []),
    ...listFindings(json, finding),
    ...(past.length > 0 ? [] : vmFindings(json, has, finding)),
  ];
  return {
    deployment: {
      environment: named,
      mgmtMac: deployment.mgmt_mac,
      nnsUrls: urls,
      vmResources: {
        memory: resources?.memory === undefined ? VM_RESOURCES.memory : Number(resources.memory),
        cpu: resources?.cpu ?? VM_RESOURCES.cpu,
        processors: resources?.nr_of_vcpus ?? VM_RESOURCES.processors,
      },
    },
    findings: [...own, ...findings],
    warnings: [
      ...past.slice(0, 1).map(([path, time]) =>
        warning(file, json, path, {
          code: "file-of-the-past",
          what: `this is a file of ${time}: only installers of that time read ${pathText(path)}`,
          todo: "use it with an image of that time, or the deployment.json of today's image",
        }),
      ),
      ...unknown.map((path) => unknownName(file, json, path)),
      ...textWithCommas(json).map((path) =>
        warning(file, json, path, {
          code: "urls-in-one-text",
          what: "several URLs are in one text: some installers take them for one",
          expected: "a text for each URL",
        }),
      ),
      ...(isOtherNetwork(named, urls)
        ? [
            warning(file, json, ["nns"], {
              code: "other-network",
              what: "the URLs of the NNS are not those of the node's network",
              found: `${urls.join(", ")} for ${named}`,
              expected: `${named === "mainnet" ? "some" : "none"} of ${MAINNET_HOSTS.join(", ")}`,
            }),
          ]
        : []),
    ],
  };
}

type Finder = (path: JsonPath, expected: string) => JsonFinding;

/** A list is what today's installer takes, a text what older ones do. */
function listFindings(json: JsonFile, finding: Finder): readonly JsonFinding[] {
  const { urls, url } = memberOf(json.value, "nns");
  return [
    ...(typeof urls === "string" ? [finding(["nns", "urls"], "a list of texts")] : []),
    ...(Array.isArray(url) ? [finding(["nns", "url"], "one text with commas between the URLs")] : []),
  ];
}

/** Today's installer requires them in every file, although only images for development use them. */
function vmFindings(json: JsonFile, has: (path: JsonPath) => boolean, finding: Finder): readonly JsonFinding[] {
  const given = memberOf(json.value, "dev_vm_resources");
  if (json.range(["dev_vm_resources"]) === undefined)
    return [finding(["dev_vm_resources"], '{"memory": "16", "cpu": "kvm", "nr_of_vcpus": 16}')];
  if (has(["dev_vm_resources"])) return [];
  return (["memory", "cpu", "nr_of_vcpus"] as const)
    .filter((name) => given[name] === undefined || given[name] === null)
    .map((name) => finding(["dev_vm_resources", name], "a value: the installer requires all three"));
}

function textWithCommas(json: JsonFile): readonly JsonPath[] {
  const { urls } = memberOf(json.value, "nns");
  const elements: readonly unknown[] = Array.isArray(urls) ? urls : [];
  return elements.flatMap((element, index) => (typeof element === "string" && element.includes(",") ? [["nns", "urls", index]] : []));
}

const MAINNET_HOSTS = ["icp-api.io", "icp0.io", "ic0.app"];

/** A node asks these URLs for the network's registry. With those of another network it never joins. */
function isOtherNetwork(environment: Environment | undefined, urls: readonly string[]): boolean {
  const isMainnet = urls.some((url) => MAINNET_HOSTS.includes(new URL(url).hostname));
  return environment !== undefined && urls.length > 0 && isMainnet !== (environment === "mainnet");
}

function unknownName(file: string, json: JsonFile, path: JsonPath): Problem {
  const meant = nearest(String(path.at(-1)), NAMES);
  return warning(file, json, path, {
    code: "unknown-name",
    what: `${pathText(path, json.fit)} is not known, and is ignored`,
    ...(meant === undefined ? {} : { expected: `perhaps ${meant}` }),
  });
}

const NAMES = ["deployment", "deployment_environment", "mgmt_mac", "nns", "urls", "dev_vm_resources", "memory", "cpu", "nr_of_vcpus"];

function warning(file: string, json: JsonFile, path: JsonPath, problem: Omit<Problem, "where">): Problem {
  return { ...problem, where: { file, ...json.place(path) } };
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const members: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null ? { ...value } : {};
  const member = members[name];
  return typeof member === "object" && member !== null ? { ...member } : {};
}
