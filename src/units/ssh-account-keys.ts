import { join } from "node:path";
import { type Action, activate, conflict, type Plan } from "../boot/unit.ts";
import { type Accounts, accountNamed, readAccounts } from "../system/accounts.ts";
import type { FileAttributes } from "../system/host.ts";
import { type Problem, ProblemError } from "../system/problem.ts";
import { configInjection } from "./config-injection.ts";
import { type Machine, unit } from "./machine.ts";

/**
 * Afterwards each of root, admin, backup and readonly can log in by ssh with exactly the keys that the injected
 * configuration gives it; an account without a file there has none.
 *
 * It needs the injected configuration and nothing else, so that a node whose disk is broken can still be reached. sshd
 * reads the files as the account itself, which therefore may read its file by its group, and write nothing. An account that is not
 * in the image, or keys that cannot be read, are a conflict, which comes after the other accounts have theirs.
 *
 * The boot goes on without it.
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
    const missing: Action[] = [];
    const problems: Problem[] = [];
    for (const name of ACCOUNTS) {
      const planned = await planAccount(machine, accounts, name);
      if ("problem" in planned) problems.push(planned.problem);
      else missing.push(...planned.actions);
    }
    for (const name of (await host.list(folder)) ?? []) {
      if (!ACCOUNTS.includes(name)) missing.push(activate(`remove ${join(folder, name)}`, async () => host.remove(join(folder, name))));
    }
    return missing.length === 0 ? inTheWay(problems) : missing;
  },
});

const ACCOUNTS: readonly string[] = ["root", "admin", "backup", "readonly"];

/** What can be done is done first: the runner plans again after that, and only then hears of the rest. */
function inTheWay(problems: readonly Problem[]): Plan {
  const [first, ...rest] = problems;
  if (first === undefined) return [];
  return conflict(rest.length === 0 ? first : { ...first, what: `${first.what}; also: ${rest.map(({ what }) => what).join("; ")}` });
}

async function planAccount(
  { host, layout }: Machine,
  accounts: Accounts,
  name: string,
): Promise<{ readonly actions: readonly Action[] } | { readonly problem: Problem }> {
  const source = join(layout.config.accountKeys, name);
  const target = join(layout.accountKeysRuntime, name);
  const [text, present, facts] = await Promise.all([host.readText(source), host.readText(target), host.stat(target)]);
  if (text === undefined) {
    return { actions: facts === undefined ? [] : [activate(`take all ssh keys from ${name}`, async () => host.remove(target))] };
  }
  let wanted: FileAttributes;
  try {
    wanted = { mode: 0o640, uid: 0, gid: accountNamed(accounts, name).gid };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    throw error;
  }
  const stands = present === text && facts?.kind === "file" && facts.mode === wanted.mode && facts.uid === 0 && facts.gid === wanted.gid;
  if (stands) return { actions: [] };
  return {
    actions: [
      activate(`give ${name} its ssh keys`, async () => {
        await host.makeFolder(layout.accountKeysRuntime, { mode: 0o755 });
        await host.writeFile(target, text, wanted);
      }),
    ],
  };
}
