import { join } from "node:path";
import type { Host } from "../host.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";

/** A line of /etc/passwd (passwd(5)). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
}

/** The accounts and groups of the image. Services and logins on a GuestOS come from these files alone, never from a directory service. */
export interface Accounts {
  readonly accounts: ReadonlyMap<string, Account>;
  /** Group numbers by name. */
  readonly groups: ReadonlyMap<string, number>;
}

/** Reads passwd and group in the folder `etc`. No process is started. @throws ProblemError when one of the files is missing */
export async function readAccounts(host: Host, etc: string): Promise<Accounts> {
  const [passwd, group] = await Promise.all([readTable(host, join(etc, "passwd")), readTable(host, join(etc, "group"))]);
  return { accounts: parsePasswd(passwd), groups: parseGroup(group) };
}

async function readTable(host: Host, path: string): Promise<string> {
  const text = await host.readText(path);
  if (text !== undefined) return text;
  throw new ProblemError({
    code: "accounts-unreadable",
    what: "cannot look up accounts",
    where: { file: path },
    found: "no such file",
    todo: "use a complete image",
  });
}

/** The account of that name. @throws ProblemError that names it, when it is missing */
export function accountNamed({ accounts }: Accounts, name: string): Account {
  const account = accounts.get(name);
  if (account !== undefined) return account;
  throw new ProblemError(missingAccount(name));
}

/** The problem of an account that the image should have. */
export function missingAccount(name: string): Problem {
  return missing("account", name);
}

/** The number of the group of that name. @throws ProblemError that names it, when it is missing */
export function groupNamed({ groups }: Accounts, name: string): number {
  const gid = groups.get(name);
  if (gid !== undefined) return gid;
  throw new ProblemError(missing("group", name));
}

function missing(kind: "account" | "group", name: string): Problem {
  return {
    code: "account-missing",
    what: `the image has no ${kind} ${name}`,
    expected: `the ${kind} as the image's sysusers file makes it`,
    todo: "use an image in which systemd-sysusers has run",
  };
}

/** name:password:uid:gid:comment:home:shell. Of two lines for one name the first counts, as for getpwnam(3). */
export function parsePasswd(text: string): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>();
  for (const [name, , uid, gid] of lines(text)) {
    const account = { name: name ?? "", uid: number(uid), gid: number(gid) };
    if (account.name !== "" && account.uid >= 0 && account.gid >= 0 && !accounts.has(account.name)) accounts.set(account.name, account);
  }
  return accounts;
}

/** name:password:gid:members. */
export function parseGroup(text: string): ReadonlyMap<string, number> {
  const groups = new Map<string, number>();
  for (const [name, , gid] of lines(text)) {
    if (name !== undefined && name !== "" && number(gid) >= 0 && !groups.has(name)) groups.set(name, number(gid));
  }
  return groups;
}

function lines(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.split(":"));
}

/** -1 for text that is not a number: such a line is not an account, as for the C library. */
function number(text: string | undefined): number {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : -1;
}
