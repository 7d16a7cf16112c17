import { join } from "node:path";
import { type Finding, findingProblem } from "../../base/finding.ts";
import { nearest, perhaps } from "../../base/nearest.ts";
import { type Problem, ProblemError, toProblem } from "../../base/problem.ts";
import { quoted } from "../../base/quoted.ts";
import { Secret } from "../../base/secret.ts";
import type { Host } from "../../system/host.ts";
import { pemText } from "../guestos-values.ts";
import { LONGEST_TEXT, requireLength } from "../text/text-lines.ts";
import { scanAuthorizedKeys } from "../values/authorized-keys.ts";
import { checkPublicKey } from "../values/pem.ts";
import { type ConfigIniFile, scanConfigIni } from "./config-ini.ts";
import { type DeploymentJsonFile, scanDeploymentJson } from "./deployment-json.ts";
import { operatorKeyProblem } from "./operator-key.ts";

/** The files of a node's configuration, as the stick's partitions config and data have them. */
export const NODE_FILES = {
  configIni: "config.ini",
  deploymentJson: "deployment.json",
  keys: "ssh_authorized_keys",
  operatorKey: "node_operator_private_key.pem",
  publicKeys: ["nns_public_key.pem", "nns_public_key_override.pem"],
} as const;

const NAMES = Object.values(NODE_FILES).flat();
/** The accounts that may have a file of public keys there. */
export const NODE_ACCOUNTS = ["admin", "backup", "readonly"];

/** What is in a folder with a node's configuration. */
export interface NodeFolder {
  /** `undefined` where it is missing, or cannot be read at all. */
  readonly configIni: ConfigIniFile | undefined;
  readonly deploymentJson: DeploymentJsonFile | undefined;
  /** The folder has such a file, or something else of that name. */
  readonly hasDeploymentJson: boolean;
  readonly operatorKey: Secret | undefined;
  readonly hasOperatorKey: boolean;
  /** The number of keys by account; `undefined` where there is no folder with keys. */
  readonly accounts: ReadonlyMap<string, number> | undefined;
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads all of a node's configuration. Each file is regular and small: nothing else in the folder is opened.
 *
 * @param data the folder with deployment.json and the network's key, where that is another one: on a stick they are on another partition
 * @throws ProblemError when there is no such folder
 */
export async function readNodeFolder(host: Host, folder: string, data: string = folder): Promise<NodeFolder> {
  const inData: readonly string[] = [NODE_FILES.deploymentJson, ...NODE_FILES.publicKeys];
  const names = await listed(host, folder);
  const dataNames = data === folder ? names : await listed(host, data);
  const mistakes: Problem[] = [];
  const warnings: Problem[] = [];

  /** Reads a file, if it is there. What stops that is a mistake. */
  const read = async <T>(name: string, parse: (content: Uint8Array, file: string) => T): Promise<T | undefined> => {
    try {
      const content = await contentOf(host, join(inData.includes(name) ? data : folder, name), name);
      return content === undefined ? undefined : parse(content, name);
    } catch (error) {
      mistakes.push(fileProblem(error, name));
      return undefined;
    }
  };
  const told = (file: string, findings: readonly Finding[]): void => {
    const inOrder = findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
    mistakes.push(...inOrder.map((finding) => findingProblem(file, finding, `correct it in ${file}`)));
  };

  if (!names.includes(NODE_FILES.configIni)) mistakes.push(missingConfigIni(names));
  const configIni = await read(NODE_FILES.configIni, scanConfigIni);
  told(NODE_FILES.configIni, configIni?.findings ?? []);
  const deploymentJson = await read(NODE_FILES.deploymentJson, scanDeploymentJson);
  told(NODE_FILES.deploymentJson, deploymentJson?.findings ?? []);
  warnings.push(...(configIni?.warnings ?? []), ...(deploymentJson?.warnings ?? []), ...misnamed(names));

  const accounts = names.includes(NODE_FILES.keys) ? new Map<string, number>() : undefined;
  const keyFiles = accounts === undefined ? [] : await keyFilesOf(host, folder, mistakes);
  for (const account of keyFiles) {
    const file = `${NODE_FILES.keys}/${account}`;
    if (!NODE_ACCOUNTS.includes(account)) {
      warnings.push(otherKeyFile(file, account));
      continue;
    }
    const keys = await read(file, scanAuthorizedKeys);
    told(file, keys?.findings ?? []);
    accounts?.set(account, keys?.keys.length ?? 0);
  }
  const operatorKey = await read(NODE_FILES.operatorKey, (content, file) => {
    const key = new Secret(content);
    const problem = operatorKeyProblem(key, file);
    if (problem !== undefined) throw new ProblemError(problem);
    return new Secret(Buffer.from(pemText(Buffer.from(content).toString("latin1"))));
  });
  for (const name of NODE_FILES.publicKeys) await read(name, checkPublicKey);

  return {
    ...{ configIni, deploymentJson, operatorKey, accounts, mistakes, warnings },
    hasDeploymentJson: dataNames.includes(NODE_FILES.deploymentJson),
    hasOperatorKey: names.includes(NODE_FILES.operatorKey),
  };
}

/** So many names of a folder are read: a stick has ten. */
const MOST_NAMES = 1000;

async function listed(host: Host, folder: string): Promise<readonly string[]> {
  const names = await host.list(folder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (names !== undefined) return names.slice(0, MOST_NAMES);
  throw new ProblemError({
    code: "folder-missing",
    what: `there is no folder ${folder}`,
    expected: "the folder with config.ini in it",
    todo: "name the folder, as in guestos-boot check-node-config ./stick",
  });
}

/** @returns `undefined` when there is no such file. @throws ProblemError when it is no regular file, or too long */
async function contentOf(host: Host, path: string, file: string): Promise<Uint8Array | undefined> {
  const facts = await host.stat(path);
  if (facts === undefined) return undefined;
  if (facts.kind !== "file")
    throw new ProblemError({
      code: "not-a-file",
      what: `${file} is no file`,
      where: { file },
      found: `a ${facts.kind}`,
      expected: "a file",
    });
  const content = await host.readAt(path, 0, LONGEST_TEXT + 1);
  requireLength(content ?? new Uint8Array(), file, LONGEST_TEXT);
  return content;
}

function fileProblem(error: unknown, file: string): Problem {
  const problem = toProblem(error);
  // A defect is no mistake of the file.
  if (problem.code === "defect") throw error;
  return { where: { file }, ...problem, todo: problem.todo ?? `correct ${file}` };
}

function missingConfigIni(names: readonly string[]): Problem {
  const near = names.find((name) => name.toLowerCase().startsWith(NODE_FILES.configIni)) ?? nearest(NODE_FILES.configIni, names);
  return {
    code: "file-missing",
    what: `the folder has no ${NODE_FILES.configIni}`,
    where: { file: NODE_FILES.configIni },
    found: near === undefined ? "no such file" : quoted(near),
    expected: `a file ${NODE_FILES.configIni}`,
    todo:
      near === undefined
        ? "name the folder that it is in"
        : `rename it to ${NODE_FILES.configIni}: some systems do not show the end of a name`,
  };
}

/** Names that are nearly one that is read. Any other is left alone: systems leave files of their own on a stick. */
function misnamed(names: readonly string[]): readonly Problem[] {
  const others = NAMES.filter((name) => name !== NODE_FILES.configIni && !names.includes(name));
  return names
    .filter((name) => !NAMES.some((known) => known === name))
    .flatMap((file) => {
      const meant = others.find((name) => file.toLowerCase().startsWith(name)) ?? nearest(file, others);
      if (meant === undefined) return [];
      return [
        {
          code: "file-ignored",
          what: `${quoted(file)} is not read`,
          where: { file: quoted(file).slice(1, -1) },
          expected: `perhaps ${meant}`,
        },
      ];
    });
}

async function keyFilesOf(host: Host, folder: string, mistakes: Problem[]): Promise<readonly string[]> {
  try {
    const names = await listed(host, join(folder, NODE_FILES.keys));
    return names.filter((name) => !name.startsWith("."));
  } catch (error) {
    const { code } = toProblem(error);
    const file = NODE_FILES.keys;
    if (code !== "folder-missing") mistakes.push(fileProblem(error, file));
    else
      mistakes.push({
        code: "not-a-folder",
        what: `${file} is no folder`,
        where: { file },
        expected: `a folder with ${NODE_ACCOUNTS.join(", ")}`,
      });
    return [];
  }
}

function otherKeyFile(file: string, name: string): Problem {
  const meant = NODE_ACCOUNTS.find((account) => name.toLowerCase().startsWith(account));
  return {
    code: "key-file-ignored",
    what: `${quoted(name)} is not read: there is no such account on a host`,
    where: { file: quoted(file).slice(1, -1) },
    expected: meant === undefined ? perhaps(name, NODE_ACCOUNTS) : `perhaps ${meant}`,
  };
}
