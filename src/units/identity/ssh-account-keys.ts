import { join } from "node:path";
import { type Action, activate, conflict, type Plan } from "../../boot/unit.ts";
import { type Accounts, missingAccount, readAccounts } from "../../system/files/accounts.ts";
import type { FileAttributes, Host } from "../../system/host.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { usableKeys } from "../../config/values/usable-keys.ts";
import { configInjection } from "../injection/config-injection.ts";
import { type Machine, unit } from "../machine.ts";

/**
 * Afterwards root, admin, backup, readonly and recovery can each log in by ssh with exactly the keys that the injected configuration gives
 * them. An account without a file there has no keys.
 *
 * It requires the injected configuration and nothing else, so that a node with a broken disk can still be reached. sshd reads each file as
 * the account itself. So the account may read its file through its group, but may write nothing. A conflict means that an account is not in
 * the image, or that keys cannot be read. It is reported after the other accounts have their keys.
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

/** Accounts whose keys the orchestrator may replace, by the network's registry. */
export const provisionedAccounts: readonly string[] = ["admin", "backup", "readonly", "recovery"];

const ACCOUNTS: readonly string[] = ["root", ...provisionedAccounts];

export interface ProvisionedKeys {
  /** How many keys the account has now. */
  readonly count: number;
  readonly changed: boolean;
  /** What is wrong with the lines that are no keys. */
  readonly problem: Problem | undefined;
}

/**
 * Replaces an account's keys, first permanently on the config partition, and then for sshd.
 *
 * A line that is no key is left out, and reported: the other keys count, and keys that are in the list no more are gone. So neither a
 * damaged line locks anyone out, nor does it keep a key in force that was revoked.
 *
 * @param account one of `provisionedAccounts`
 * @param content authorized_keys lines
 * @throws ProblemError, and changes nothing, where the node has not taken in its configuration, or has no such account
 */
export async function provisionKeys(host: Host, layout: Layout, account: string, content: Uint8Array): Promise<ProvisionedKeys> {
  if ((await host.stat(layout.config.configured)) === undefined) {
    throw new ProblemError({
      code: "node-not-configured",
      what: "this node has not taken in its configuration yet; nothing was changed",
      where: { file: layout.config.configured },
      found: "no such file",
      todo: "guestos-boot status says why",
    });
  }
  const accounts = await readAccounts(host, layout.etc.folder);
  if (!accounts.accounts.has(account)) throw new ProblemError(missingAccount(account));
  const { text, count, problem } = usableKeys(content, "standard input");
  const file = join(layout.config.accountKeys, account);
  const isStored = (await host.readText(file)) === text;
  if (!isStored) {
    await host.makeFolder(layout.config.accountKeys, { mode: 0o755 });
    await host.writeFile(file, text, { mode: 0o644, uid: 0, gid: 0 });
  }
  const { actions } = await planAccount({ host, layout }, accounts, account);
  for (const action of actions) await action.run();
  return { count, changed: !isStored || actions.length > 0, problem };
}

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

async function planAccount({ host, layout }: Pick<Machine, "host" | "layout">, accounts: Accounts, name: string): Promise<AccountPlan> {
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
  const { text, count, problem } = usableKeys(content, source);
  const wanted: FileAttributes = { mode: 0o640, uid: 0, gid: account.gid };
  const stands = present === text && facts?.kind === "file" && facts.mode === wanted.mode && facts.uid === 0 && facts.gid === wanted.gid;
  const give = async (): Promise<void> => {
    await host.makeFolder(layout.accountKeysRuntime, { mode: 0o755 });
    await host.writeFile(target, text, wanted);
  };
  return {
    actions: stands ? [] : [activate(`write the ssh keys of ${name} (${count})`, give)],
    problems: problem === undefined ? [] : [problem],
  };
}
