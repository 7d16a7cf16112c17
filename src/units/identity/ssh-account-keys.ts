import { join } from "node:path";
import { type Action, activate, conflict, type Plan } from "../../boot/unit.ts";
import { type Accounts, missingAccount, readAccounts } from "../../system/files/accounts.ts";
import type { FileAttributes } from "../../system/host.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { type AuthorizedKey, parseAuthorizedKeys } from "../../config/values/authorized-keys.ts";
import { configInjection } from "../injection/config-injection.ts";
import { type Machine, unit } from "../machine.ts";

/**
 * Afterwards root, admin, backup and readonly can each log in by ssh with exactly the keys that the injected configuration gives
 * them. An account without a file there has no keys.
 *
 * It requires the injected configuration and nothing else, so that a node with a broken disk can still be reached. sshd reads each
 * file as the account itself. So the account may read its file through its group, but may write nothing. A conflict means that an
 * account is not in the image, or that keys cannot be read. It is reported after the other accounts have their keys.
 *
 * If it fails, the boot goes on.
 */
export const sshAccountKeys = unit({
  name: "ssh-account-keys",
  title: "Set up the ssh keys of the accounts",
  requires: [configInjection],
  owns: ["/run/ic-node/ssh/authorized_keys"],
  onFailure: "degrade",
  async plan(machine) {
    const { host, layout } = machine;
    const folder = layout.accountKeysRuntime;
    const accounts = await readAccounts(host, layout.etc.folder);
    const planned = await Promise.all(ACCOUNTS.map(async (name) => planAccount(machine, accounts, name)));
    const others = ((await host.list(folder)) ?? []).filter((name) => !ACCOUNTS.includes(name));
    const missing = [
      ...planned.flatMap(({ actions }) => actions),
      ...others.map((name) => activate(`remove ${join(folder, name)}`, async () => host.remove(join(folder, name)))),
    ];
    return missing.length > 0 ? missing : inTheWay(planned.flatMap(({ problems }) => problems));
  },
});

const ACCOUNTS: readonly string[] = ["root", "admin", "backup", "readonly"];

/** Reported only once nothing is left to do: the runner plans again after the actions, and then receives the conflict. */
function inTheWay(problems: readonly Problem[]): Plan {
  const [first, ...rest] = problems;
  if (first === undefined) return [];
  return conflict(rest.length === 0 ? first : { ...first, what: `${first.what}; also: ${rest.map(({ what }) => what).join("; ")}` });
}

interface AccountPlan {
  readonly actions: readonly Action[];
  readonly problems: readonly Problem[];
}

async function planAccount({ host, layout }: Machine, accounts: Accounts, name: string): Promise<AccountPlan> {
  const source = join(layout.config.accountKeys, name);
  const target = join(layout.accountKeysRuntime, name);
  const [content, present, facts] = await Promise.all([host.readBytes(source), host.readText(target), host.stat(target)]);
  const account = accounts.accounts.get(name);
  if (content === undefined || account === undefined) {
    return {
      actions: facts === undefined ? [] : [activate(`remove all ssh keys of ${name}`, async () => host.remove(target))],
      problems: content === undefined ? [] : [missingAccount(name)],
    };
  }
  const { keys, problems } = readableKeys(content, source);
  // Written from the parsed keys: sshd gets no line that it could understand differently.
  const text = keys.map(keyLine).join("");
  const wanted: FileAttributes = { mode: 0o640, uid: 0, gid: account.gid };
  const stands = present === text && facts?.kind === "file" && facts.mode === wanted.mode && facts.uid === 0 && facts.gid === wanted.gid;
  const give = async (): Promise<void> => {
    await host.makeFolder(layout.accountKeysRuntime, { mode: 0o755 });
    await host.writeFile(target, text, wanted);
  };
  return { actions: stands ? [] : [activate(`write the ssh keys of ${name} (${keys.length})`, give)], problems };
}

/**
 * All usable keys of a file, and what is wrong with the rest. One damaged line must not lock out the owners of the other keys.
 * Unreadable bytes in a comment must not lock out even the owner of that key.
 */
function readableKeys(
  content: Uint8Array,
  file: string,
): { readonly keys: readonly AuthorizedKey[]; readonly problems: readonly Problem[] } {
  try {
    return { keys: parseAuthorizedKeys(content, file), problems: [] };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // A comment may have any bytes. In any other field the tilde makes the line invalid.
    const keys = Buffer.from(content)
      .toString("latin1")
      .replace(/^\xef\xbb\xbf/, "")
      .split(/\r?\n/)
      .flatMap((line) => readableLine(line.replaceAll(/[^\t\x20-\x7e]/g, "~"), file));
    return { keys, problems: [error.problem] };
  }
}

function readableLine(line: string, file: string): readonly AuthorizedKey[] {
  try {
    return parseAuthorizedKeys(Buffer.from(line), file);
  } catch (error) {
    if (error instanceof ProblemError) return [];
    throw error;
  }
}

function keyLine({ options, type, blob, comment }: AuthorizedKey): string {
  return `${[options.join(","), type, blob, comment].filter((field) => field !== "").join(" ")}\n`;
}
