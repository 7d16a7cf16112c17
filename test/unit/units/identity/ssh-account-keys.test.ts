import { describe, expect, test } from "vitest";
import { sshAccountKeys } from "../../../../src/units/identity/ssh-account-keys.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const CONFIG = "/boot/config/accounts_ssh_authorized_keys";
const RUNTIME = "/run/ic-node/ssh/authorized_keys";
const ALICE = makeHostKey("ed25519", { comment: "alice" }).publicLine;
const BOB = makeHostKey("ecdsa", { comment: "bob" }).publicLine;
const PASSWD = ["root:x:0:0", "admin:x:1000:1001", "backup:x:34:34", "readonly:x:1002:1003"].map((line) => `${line}::/:/bin/sh\n`);

function machine(files: Readonly<Record<string, string>>, passwd = PASSWD.join("")) {
  return testMachine(fakeHost({ files: { "/etc/passwd": passwd, "/etc/group": "root:x:0:\n", ...files } }));
}

function runtime({ host }: ReturnType<typeof machine>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...host.files].filter(([path]) => path.startsWith(RUNTIME)).map(([path, text]) => [path.slice(RUNTIME.length + 1), String(text)]),
  );
}

test("each account that has keys gets them, readable by its group and writable by root alone", async () => {
  const subject = machine({ [`${CONFIG}/admin`]: ALICE, [`${CONFIG}/backup`]: `# two\n\n${ALICE}${BOB}` });
  expect(await runUnit(sshAccountKeys, subject)).toEqual(["write the ssh keys of admin (1)", "write the ssh keys of backup (2)"]);
  expect(runtime(subject)).toEqual({ admin: ALICE, backup: ALICE + BOB });
  expect(await subject.host.stat(`${RUNTIME}/admin`)).toMatchObject({ mode: 0o640, uid: 0, gid: 1001 });
  expect(await runUnit(sshAccountKeys, subject)).toEqual([]);
});

test("a node without any keys needs nothing", async () => {
  expect(await runUnit(sshAccountKeys, machine({}))).toEqual([]);
});

test("an account whose file is gone loses its keys, and so does who has no account of ours", async () => {
  const subject = machine({ [`${RUNTIME}/readonly`]: ALICE, [`${RUNTIME}/mallory`]: BOB });
  expect(await runUnit(sshAccountKeys, subject)).toEqual(["remove all ssh keys of readonly", `remove ${RUNTIME}/mallory`]);
  expect(runtime(subject)).toEqual({});
});

test("keys for an account that is none of ours are given to no one", async () => {
  expect(await runUnit(sshAccountKeys, machine({ [`${CONFIG}/ic-replica`]: ALICE }))).toEqual([]);
});

test.each([
  { mode: 0o644, uid: 0, gid: 1001 },
  { mode: 0o640, uid: 0, gid: 0 },
  { mode: 0o640, uid: 1000, gid: 1001 },
])("a file with other owners or modes is written again: %j", async (attributes) => {
  const subject = machine({ [`${CONFIG}/admin`]: ALICE });
  await runUnit(sshAccountKeys, subject);
  await subject.host.setAttributes(`${RUNTIME}/admin`, attributes);
  expect(await runUnit(sshAccountKeys, subject)).toEqual(["write the ssh keys of admin (1)"]);
});

test("a key that was added by hand on the tmpfs is taken away", async () => {
  const subject = machine({ [`${CONFIG}/admin`]: ALICE });
  await runUnit(sshAccountKeys, subject);
  subject.host.files.set(`${RUNTIME}/admin`, ALICE + BOB);
  expect(await runUnit(sshAccountKeys, subject)).toEqual(["write the ssh keys of admin (1)"]);
  expect(runtime(subject)).toEqual({ admin: ALICE });
});

describe("what is in the way is said after the rest is done:", () => {
  test("an account that is not in the image, by its name", async () => {
    const subject = machine({ [`${CONFIG}/admin`]: ALICE, [`${CONFIG}/root`]: BOB }, PASSWD.slice(0, 1).join(""));
    await expect(runUnit(sshAccountKeys, subject)).rejects.toThrow("the image has no account admin");
    expect(runtime(subject)).toEqual({ root: BOB });
  });

  test("a line that is no key, with its place; the other keys of the file work", async () => {
    const subject = machine({ [`${CONFIG}/admin`]: `${ALICE}ssh-ed25519 AAAA\n${BOB}` });
    await expect(runUnit(sshAccountKeys, subject)).rejects.toMatchObject({ problem: { where: { file: `${CONFIG}/admin`, line: 2 } } });
    expect(runtime(subject)).toEqual({ admin: ALICE + BOB });
    await expect(runUnit(sshAccountKeys, subject)).rejects.toMatchObject({ problem: { where: { line: 2 } } });
  });

  test("a key that would run a program, which no one gets", async () => {
    const subject = machine({ [`${CONFIG}/root`]: `command="/bin/sh" ${ALICE}` });
    await expect(runUnit(sshAccountKeys, subject)).rejects.toMatchObject({ problem: { where: { line: 1 } } });
    expect(runtime(subject)).toEqual({ root: "" });
  });

  test("several at once, all named", async () => {
    const subject = machine({ [`${CONFIG}/admin`]: ALICE, [`${CONFIG}/backup`]: ALICE }, PASSWD[0]);
    await expect(runUnit(sshAccountKeys, subject)).rejects.toThrow("the image has no account admin; also: the image has no account backup");
  });
});

describe("a file that was written elsewhere", () => {
  test("with carriage returns and a byte order mark gives all of its keys", async () => {
    const subject = machine({ [`${CONFIG}/admin`]: `\ufeff${ALICE}${BOB}`.replaceAll("\n", "\r\n") });
    await runUnit(sshAccountKeys, subject);
    expect(runtime(subject)).toEqual({ admin: ALICE + BOB });
  });

  test("with a comment in another encoding costs no one their key, and is said", async () => {
    const name = Buffer.from("Ren\xe9e\x1b", "latin1");
    const lines = [Buffer.from(`\ufeff${BOB}${ALICE.trimEnd()} `), name, Buffer.from(`\r\nnonsense\r\n${BOB}`)];
    const subject = machine({ [`${CONFIG}/admin`]: "" });
    subject.host.files.set(`${CONFIG}/admin`, Buffer.concat(lines));
    await expect(runUnit(sshAccountKeys, subject)).rejects.toMatchObject({ problem: { found: expect.stringContaining("2:") } });
    expect(runtime(subject)).toEqual({ admin: `${BOB}${ALICE.trimEnd()} Ren~e~\n${BOB}` });
  });

  test("with such a byte anywhere else loses that line: nothing is read as a pattern", async () => {
    const subject = machine({ [`${CONFIG}/admin`]: "" });
    subject.host.files.set(`${CONFIG}/admin`, Buffer.from(`from="10.0.0.\xff" ${ALICE}${BOB}`, "latin1"));
    await expect(runUnit(sshAccountKeys, subject)).rejects.toThrow("a line is not text");
    expect(runtime(subject)).toEqual({ admin: BOB });
  });
});

test("options that only restrict a key are kept", async () => {
  const line = `restrict,from="10.0.0.0/8" ${ALICE}`;
  const subject = machine({ [`${CONFIG}/backup`]: line });
  await runUnit(sshAccountKeys, subject);
  expect(runtime(subject)).toEqual({ backup: line });
});

test("a disk that is full is an error, not an empty file", async () => {
  const subject = machine({ [`${CONFIG}/admin`]: ALICE });
  const full = { ...subject.host, writeFile: async (): Promise<never> => Promise.reject(new Error("ENOSPC")) };
  await expect(runUnit(sshAccountKeys, { ...subject, host: full })).rejects.toThrow("ENOSPC");
  expect(runtime(subject)).toEqual({});
});
