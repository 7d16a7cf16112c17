import { expect, test } from "vitest";
import { accountNamed, groupNamed, parseGroup, parsePasswd, readAccounts } from "../../../../src/system/files/accounts.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
admin:x:1000:1001:,,,:/home/admin:/bin/bash
nogid:x:7:x::/:/bin/false
+::::::
admin:x:5:5::/:/bin/sh

ic-replica:!:990:990::/:/usr/sbin/nologin`;

test("accounts are read with their numbers, and of two of one name the first counts", () => {
  expect([...parsePasswd(PASSWD).values()]).toEqual([
    { name: "root", uid: 0, gid: 0 },
    { name: "admin", uid: 1000, gid: 1001 },
    { name: "ic-replica", uid: 990, gid: 990 },
  ]);
});

test("groups are read, and a line that is none is skipped", () => {
  expect([...parseGroup("root:x:0:\nnode_exporter:!:971:a,b\nbroken:x::\n:x:4:\n")]).toEqual([
    ["root", 0],
    ["node_exporter", 971],
  ]);
});

test("an account or group that is not there is named", async () => {
  const accounts = await readAccounts(fakeHost({ files: { "/etc/passwd": PASSWD, "/etc/group": "root:x:0:\n" } }), "/etc");
  expect(accountNamed(accounts, "admin").gid).toBe(1001);
  expect(() => accountNamed(accounts, "backup")).toThrow("the image has no account backup");
  expect(() => groupNamed(accounts, "node_exporter")).toThrow("the image has no group node_exporter");
});

test("an image without passwd is an error, and not one without accounts", async () => {
  await expect(readAccounts(fakeHost({ files: { "/etc/group": "" } }), "/etc")).rejects.toThrow("/etc/passwd: cannot look up accounts");
});
