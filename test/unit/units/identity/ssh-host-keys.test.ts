import { describe, expect, test } from "vitest";
import { parseHostKey } from "../../../../src/config/values/openssh-key.ts";
import { sshHostKeys } from "../../../../src/units/identity/ssh-host-keys.ts";
import { actingHost, bindingMount, failing, filesBelow, ROOT_AND_RUN, type ToolAction } from "../../../support/acting-host.ts";
import type { FakeMachine } from "../../../support/fake-host.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const KEYS = { ed25519: makeHostKey("ed25519"), ecdsa: makeHostKey("ecdsa") };
const CONFIG = "/boot/config/ssh";
const RUNTIME = "/run/ic-node/etc/ssh";
const INSTALL = [`copy sshd's configuration and the host keys to ${RUNTIME}`, `bind ${RUNTIME} over /etc/ssh`];

/** Of what OpenSSH's loader takes, the fake one knows the canonical form alone: test/system/units/identity/ssh-host-keys.test.ts has the real one. */
const keygen: ToolAction = (host, { args }) => {
  const file = args.at(-1) ?? "";
  if (args[0] === "-y") {
    const key = parseHostKey(host.files.get(file)?.toString() ?? "");
    return key.kind === "key" && key.isCanonical ? key.publicLine : "";
  }
  const key = makeHostKey(args.includes("ed25519") ? "ed25519" : "ecdsa");
  host.files.set(file, key.text);
  host.files.set(`${file}.pub`, key.publicLine);
  return "";
};

function machine({ files, ...rest }: FakeMachine = {}, tools: Readonly<Record<string, ToolAction>> = {}) {
  const base = { "/proc/self/mountinfo": ROOT_AND_RUN, "/etc/ssh/sshd_config": "UsePAM yes\n" };
  const host = actingHost({ files: { ...base, ...files }, ...rest }, { "ssh-keygen": keygen, mount: bindingMount, ...tools });
  return testMachine(host);
}

function pair(type: "ed25519" | "ecdsa", { text, publicLine } = KEYS[type]): Record<string, string> {
  return { [`${CONFIG}/ssh_host_${type}_key`]: text, [`${CONFIG}/ssh_host_${type}_key.pub`]: publicLine };
}

const BOTH = { ...pair("ed25519"), ...pair("ecdsa") };

describe("a node without host keys", () => {
  test("gets an ed25519 and an ecdsa key, and no rsa key", async () => {
    const subject = machine();
    expect(await runUnit(sshHostKeys, subject)).toEqual(["make the ed25519 host key", "make the ecdsa host key", ...INSTALL]);
    const names = ["ssh_host_ecdsa_key", "ssh_host_ecdsa_key.pub", "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"];
    expect(Object.keys(filesBelow(subject.host, CONFIG)).toSorted()).toEqual(names);
    expect(Object.keys(filesBelow(subject.host, RUNTIME)).toSorted()).toEqual([...names, "sshd_config"]);
    expect(await runUnit(sshHostKeys, subject)).toEqual([]);
  });

  test("gets each private half before its public one, and nothing stays where they were made", async () => {
    const subject = machine();
    const { host } = subject;
    await runUnit(sshHostKeys, subject);
    expect(host.effects.slice(0, 7)).toEqual([
      "remove /run/guestos-boot/ssh-host-keys",
      "make /run/guestos-boot/ssh-host-keys",
      "run ssh-keygen",
      `make ${CONFIG}`,
      `write 600 ${CONFIG}/ssh_host_ed25519_key`,
      `write 644 ${CONFIG}/ssh_host_ed25519_key.pub`,
      "remove /run/guestos-boot/ssh-host-keys",
    ]);
    expect(filesBelow(host, "/run/guestos-boot")).toEqual({});
  });

  test("does not get the keys that came with the image", async () => {
    const subject = machine({ files: { "/etc/ssh/ssh_host_rsa_key": "everyone's", "/etc/ssh/ssh_host_rsa_key.pub": "everyone's" } });
    await runUnit(sshHostKeys, subject);
    expect(Object.keys(filesBelow(subject.host, RUNTIME))).not.toContain("ssh_host_rsa_key");
  });
});

describe("a node with its keys", () => {
  test("keeps them, and only has to put them in place", async () => {
    const subject = machine({ files: BOTH });
    expect(await runUnit(sshHostKeys, subject)).toEqual(INSTALL);
    expect(filesBelow(subject.host, RUNTIME)["ssh_host_ed25519_key"]).toBe(KEYS.ed25519.text);
    expect(await runUnit(sshHostKeys, subject)).toEqual([]);
    expect(subject.notes).toEqual([]);
  });

  test("keeps an rsa key that it has", async () => {
    const { text, publicLine } = makeHostKey("rsa");
    const rsa = { [`${CONFIG}/ssh_host_rsa_key`]: text, [`${CONFIG}/ssh_host_rsa_key.pub`]: publicLine };
    const subject = machine({ files: { ...BOTH, ...rsa } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(INSTALL);
    expect(filesBelow(subject.host, RUNTIME)["ssh_host_rsa_key"]).toBe(text);
  });

  test("gets a lost public half back from the private one", async () => {
    const subject = machine({ files: { ...BOTH, [`${CONFIG}/ssh_host_ed25519_key.pub`]: "" } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["write the public half of the ed25519 host key", ...INSTALL]);
    expect(subject.host.files.get(`${CONFIG}/ssh_host_ed25519_key.pub`)).toBe(KEYS.ed25519.publicLine);
  });

  test("keeps one of another type than its name says: sshd does, too (sshd.c, sshkey_load_private)", async () => {
    const subject = machine({ files: { ...BOTH, ...pair("ecdsa", KEYS.ed25519) } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(INSTALL);
  });

  test("keeps one that is not understood here, where sshd reads it", async () => {
    const file = `${CONFIG}/ssh_host_rsa_key`;
    const publicLine = KEYS.ed25519.publicLine;
    const reads: ToolAction = (host, command) => (command.args.at(-1) === file ? publicLine : keygen(host, command));
    const subject = machine({ files: { ...BOTH, [file]: "a key of tomorrow" } }, { "ssh-keygen": reads });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["write the public half of the rsa host key", ...INSTALL]);
    expect(subject.host.files.get(file)).toBe("a key of tomorrow");
    expect(subject.host.files.get(`${file}.pub`)).toBe(publicLine.replace(" guestos", ""));
  });

  test("keeps a comment that someone wrote behind the public half", async () => {
    const publicLine = KEYS.ecdsa.publicLine.replace("guestos", "rack 7");
    const subject = machine({ files: { ...BOTH, [`${CONFIG}/ssh_host_ecdsa_key.pub`]: publicLine } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(INSTALL);
  });

  test("has a private half that others could read taken from them", async () => {
    const file = `${CONFIG}/ssh_host_ed25519_key`;
    const subject = machine({ files: BOTH, attributes: { [file]: { mode: 0o644 } } });
    expect(await runUnit(sshHostKeys, subject)).toEqual([`make ${file} readable by root alone`, ...INSTALL]);
  });

  test("has a key put back that was changed on the tmpfs", async () => {
    const subject = machine({ files: BOTH });
    await runUnit(sshHostKeys, subject);
    subject.host.files.set(`${RUNTIME}/ssh_host_ecdsa_key`, "");
    expect(await runUnit(sshHostKeys, subject)).toEqual([INSTALL[0]]);
    expect(subject.host.files.get(`${RUNTIME}/ssh_host_ecdsa_key`)?.toString()).toBe(KEYS.ecdsa.text);
  });
});

describe("a key that sshd cannot read as it is there", () => {
  const file = `${CONFIG}/ssh_host_ed25519_key`;
  const text = KEYS.ed25519.text.trimEnd();

  test("is the same key afterwards, and the operator is told where its file is", async () => {
    const subject = machine({ files: { ...BOTH, [file]: text } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["write the same ed25519 host key again, as sshd reads it", ...INSTALL]);
    expect(subject.host.files.get(file)?.toString()).toBe(KEYS.ed25519.text);
    expect(subject.host.files.get(`${file}.pub`)).toBe(KEYS.ed25519.publicLine);
    expect(subject.host.files.get(`${file}.unusable`)?.toString()).toBe(text);
    expect(subject.notes).toEqual([expect.stringContaining(`the file is kept as ${file}.unusable`)]);
    expect(filesBelow(subject.host, "/run/guestos-boot")).toEqual({});
    expect(await runUnit(sshHostKeys, subject)).toEqual([]);
  });

  test("stays as it is where OpenSSH does not read what was written for it", async () => {
    const subject = machine({ files: { ...BOTH, [file]: text } }, { "ssh-keygen": () => "" });
    await expect(runUnit(sshHostKeys, subject)).rejects.toThrow("the ed25519 host key could not be written as sshd reads it");
    expect(filesBelow(subject.host, CONFIG)["ssh_host_ed25519_key"]).toBe(text);
    expect(filesBelow(subject.host, "/run/guestos-boot")).toEqual({});
  });

  test("is not replaced where OpenSSH cannot be asked", async () => {
    const subject = machine({ files: { ...BOTH, [file]: "half a key" } }, { "ssh-keygen": failing(127, "cannot execute") });
    await expect(sshHostKeys.plan(subject)).rejects.toThrow("ssh-keygen -y");
    expect(filesBelow(subject.host, CONFIG)["ssh_host_ed25519_key"]).toBe("half a key");
  });

  test("never shows in a plan", async () => {
    const subject = machine({ files: { ...BOTH, [file]: text } });
    expect(JSON.stringify(await sshHostKeys.plan(subject))).not.toContain(text.split("\n")[2]);
  });
});

describe("a damaged key", () => {
  test("that is empty is replaced, and the operator is told", async () => {
    const file = `${CONFIG}/ssh_host_ed25519_key`;
    const subject = machine({ files: { ...BOTH, [file]: "" } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["replace the ed25519 host key, which is empty", ...INSTALL]);
    expect(subject.notes).toEqual([expect.stringContaining("the ed25519 host key is empty; it is replaced")]);
    expect(subject.host.files.has(`${file}.unusable`)).toBe(false);
  });

  test("that holds something is kept beside", async () => {
    const file = `${CONFIG}/ssh_host_ed25519_key`;
    const subject = machine({ files: { ...BOTH, [file]: "half a key" } });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["replace the ed25519 host key, which is no private key", ...INSTALL]);
    expect(subject.host.files.get(`${file}.unusable`)).toBe("half a key");
  });

  test("is kept beside also where one was before", async () => {
    const file = `${CONFIG}/ssh_host_ed25519_key`;
    const subject = machine({ files: { ...BOTH, [file]: "half a key", [`${file}.unusable`]: "another half" } });
    await runUnit(sshHostKeys, subject);
    expect(subject.host.files.get(`${file}.unusable`)).toBe("another half");
    expect(subject.host.files.get(`${file}.unusable-2`)).toBe("half a key");
  });

  test("on a node that has booted is replaced in both places by one run", async () => {
    const subject = machine({ files: BOTH });
    await runUnit(sshHostKeys, subject);
    subject.host.files.set(`${CONFIG}/ssh_host_ecdsa_key`, "");
    expect(await runUnit(sshHostKeys, subject)).toEqual(["replace the ecdsa host key, which is empty", INSTALL[0]]);
    expect(filesBelow(subject.host, RUNTIME)["ssh_host_ecdsa_key"]).toBe(filesBelow(subject.host, CONFIG)["ssh_host_ecdsa_key"]);
  });

  test("that was removed from a node that has booted is made again in both places by one run", async () => {
    const subject = machine({ files: BOTH });
    await runUnit(sshHostKeys, subject);
    await subject.host.remove(`${CONFIG}/ssh_host_ecdsa_key`);
    await subject.host.remove(`${CONFIG}/ssh_host_ecdsa_key.pub`);
    expect(await runUnit(sshHostKeys, subject)).toEqual(["make the ecdsa host key", INSTALL[0]]);
    expect(filesBelow(subject.host, RUNTIME)["ssh_host_ecdsa_key"]).toBe(filesBelow(subject.host, CONFIG)["ssh_host_ecdsa_key"]);
  });

  test("left in the making by a run that was killed is removed", async () => {
    const subject = machine({ files: { ...BOTH, "/run/guestos-boot/ssh-host-keys/ssh_host_ed25519_key": KEYS.ed25519.text } });
    expect(await runUnit(sshHostKeys, subject)).toEqual([
      "remove what an interrupted run left in /run/guestos-boot/ssh-host-keys",
      ...INSTALL,
    ]);
    expect(filesBelow(subject.host, "/run/guestos-boot")).toEqual({});
  });

  test("of which only the public half is left is made again", async () => {
    const { [`${CONFIG}/ssh_host_ecdsa_key`]: _, ...files } = BOTH;
    const subject = machine({ files });
    expect(await runUnit(sshHostKeys, subject)).toEqual(["make the ecdsa host key, of which only the public half is there", ...INSTALL]);
    expect(subject.host.files.get(`${CONFIG}/ssh_host_ecdsa_key.pub`)).not.toBe(KEYS.ecdsa.publicLine);
  });

  test("never shows in a plan", async () => {
    const secret = "c2VjcmV0LXNlZWQ";
    const subject = machine({ files: { ...BOTH, [`${CONFIG}/ssh_host_ed25519_key`]: `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n` } });
    expect(JSON.stringify(await sshHostKeys.plan(subject))).not.toContain(secret);
  });
});

describe("a tool that fails", () => {
  test("leaves no key behind, and says what can be done", async () => {
    const subject = machine({}, { "ssh-keygen": failing(1, "No space left on device") });
    await expect(runUnit(sshHostKeys, subject)).rejects.toMatchObject({
      problem: { found: "No space left on device", todo: expect.stringContaining("df") },
    });
    expect(filesBelow(subject.host, CONFIG)).toEqual({});
  });

  test("and leaves an empty key is not believed", async () => {
    const subject = machine({}, { "ssh-keygen": (host, { args }) => void host.files.set(args.at(-1) ?? "", "") });
    await expect(runUnit(sshHostKeys, subject)).rejects.toThrow("ssh-keygen made a key that is empty");
    expect(filesBelow(subject.host, CONFIG)).toEqual({});
  });

  test("is not run when there is nothing to do: a boot forks for the bind mount alone", async () => {
    const subject = machine({ files: BOTH }, { "ssh-keygen": failing(1, "not to be run") });
    await runUnit(sshHostKeys, subject);
    expect(subject.host.effects.filter((effect) => effect.startsWith("run "))).toEqual(["run mount"]);
  });
});

test("an image without /etc/ssh is an error", async () => {
  const subject = machine({ files: BOTH });
  subject.host.files.delete("/etc/ssh/sshd_config");
  await expect(sshHostKeys.plan(subject)).rejects.toThrow("the image has no /etc/ssh");
});
