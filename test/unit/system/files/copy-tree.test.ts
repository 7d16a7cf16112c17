import { expect, test } from "vitest";
import { differingFiles, readTree, writeTree } from "../../../../src/system/files/copy-tree.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const NOTHING = (): boolean => false;

test("a folder is read whole, with what is in folders below it", async () => {
  const host = fakeHost({ files: { "/etc/ssh/sshd_config": "a", "/etc/ssh/sshd_config.d/10-node.conf": "b", "/etc/sshx": "c" } });
  const files = await readTree(host, "/etc/ssh", NOTHING);
  expect(files?.map(({ path, content }) => [path, Buffer.from(content).toString()])).toEqual([
    ["sshd_config", "a"],
    ["sshd_config.d/10-node.conf", "b"],
  ]);
});

test("a folder that is not there is undefined, not empty", async () => {
  expect(await readTree(fakeHost(), "/etc/ssh", NOTHING)).toBeUndefined();
});

test("a link is replaced by what it leads to, with the mode of that", async () => {
  const host = fakeHost({
    files: { "/usr/lib/proxy.conf": "proxy" },
    attributes: { "/usr/lib/proxy.conf": { mode: 0o644 } },
    links: { "/etc/ssh/a.conf": "../../usr/lib/proxy.conf", "/etc/ssh/b.conf": "/etc/ssh/a.conf" },
  });
  const files = await readTree(host, "/etc/ssh", NOTHING);
  expect(files?.map(({ path, mode, content }) => [path, mode, Buffer.from(content).toString()])).toEqual([
    ["a.conf", 0o644, "proxy"],
    ["b.conf", 0o644, "proxy"],
  ]);
});

test("a link that leads nowhere, or in a circle, is left out", async () => {
  const host = fakeHost({ links: { "/etc/ssh/nowhere": "/gone", "/etc/ssh/x": "y", "/etc/ssh/y": "x" } });
  expect(await readTree(host, "/etc/ssh", NOTHING)).toEqual([]);
});

test("a link to a folder above it ends in an error, not in a full disk", async () => {
  const host = fakeHost({ files: { "/etc/ssh/a": "a" }, links: { "/etc/ssh/loop": "/etc/ssh" } });
  await expect(readTree(host, "/etc/ssh", NOTHING)).rejects.toThrow("nested too deeply");
});

test("what is left out is asked by its path in the folder", async () => {
  const host = fakeHost({ files: { "/etc/ssh/ssh_host_rsa_key": "secret", "/etc/ssh/moduli": "m" } });
  const files = await readTree(host, "/etc/ssh", (path) => path.startsWith("ssh_host"));
  expect(files?.map(({ path }) => path)).toEqual(["moduli"]);
});

test("a file differs by content, mode and owner, and when it is not there", async () => {
  const host = fakeHost({
    files: { "/t/same": "x", "/t/content": "y", "/t/mode": "x", "/t/owner": "x" },
    attributes: { "/t/mode": { mode: 0o644 }, "/t/owner": { mode: 0o600, gid: 5 } },
  });
  const files = ["same", "content", "mode", "owner", "absent"].map((path) => ({
    path,
    content: Buffer.from("x"),
    mode: 0o600,
    uid: 0,
    gid: 0,
  }));
  expect((await differingFiles(host, "/t", files)).map(({ path }) => path)).toEqual(["content", "mode", "owner", "absent"]);
});

test("a folder that is where a file belongs makes room for it", async () => {
  const host = fakeHost({ files: { "/t/a/b": "x" } });
  await writeTree(host, "/t", [{ path: "a", content: Buffer.from("y"), mode: 0o644, uid: 0, gid: 0 }]);
  expect(host.effects).toEqual(["make /t", "remove /t/a", "write 644 /t/a"]);
});
