import { readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { sshAccountKeys } from "../../../../src/units/identity/ssh-account-keys.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const ALICE = makeHostKey("ed25519", { comment: "alice" }).publicLine;
const FOLDER = "/run/ic-node/ssh/authorized_keys";

function prepare(): NamespaceMachine {
  return namespaceMachine({
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1001::/home/admin:/bin/sh\nbackup:x:34:34::/:/bin/sh\n",
    "/etc/group": "root:x:0:\n",
    "/boot/config/CONFIGURED": "",
    "/boot/config/accounts_ssh_authorized_keys/admin": ALICE,
    "/boot/config/accounts_ssh_authorized_keys/backup": ALICE,
  });
}

function expectWhole({ at }: NamespaceMachine): void {
  expect(readdirSync(at(FOLDER))).toEqual(["admin", "backup"]);
  for (const [account, gid] of Object.entries({ admin: 1001, backup: 34 })) {
    expect(readFileSync(at(`${FOLDER}/${account}`), "utf8")).toBe(ALICE);
    expect(statSync(at(`${FOLDER}/${account}`))).toMatchObject({ mode: 0o100640, uid: 0, gid });
  }
  // sshd refuses keys in a folder that others may write (StrictModes), and walks it as the account.
  for (const folder of [FOLDER, "/run/ic-node/ssh", "/run/ic-node"]) expect(statSync(at(folder))).toMatchObject({ mode: 0o040755, uid: 0 });
}

test("the accounts get their keys, and no tool is started", async () => {
  const machine = prepare();
  await runUnit(sshAccountKeys, machine);
  expectWhole(machine);
  expect(machine.tools).toEqual([]);
  expect(await runUnit(sshAccountKeys, machine)).toEqual([]);
});

test("an account whose file is removed loses its keys", async () => {
  const machine = prepare();
  await runUnit(sshAccountKeys, machine);
  unlinkSync(machine.at("/boot/config/accounts_ssh_authorized_keys/backup"));
  expect(await runUnit(sshAccountKeys, machine)).toEqual(["remove all ssh keys of backup"]);
  expect(readdirSync(machine.at(FOLDER))).toEqual(["admin"]);
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(sshAccountKeys, prepare, expectWhole)).toBe(4);
});
