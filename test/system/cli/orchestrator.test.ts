import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";
import { argumentsOf, provisionKeys, regenerate as regenerateCommand, regenerateByTool } from "../../support/documented/elsewhere.ts";

/** The names that today's orchestrator calls, with what it gives them, and with what an enemy would. */

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/";
/** The folders of the config partition and of sshd in the fixture. */
const STORED = "config/accounts_ssh_authorized_keys/readonly";
const IN_FORCE = "authorized_keys/readonly";

let fixture: Fixture;
beforeEach(() => {
  fixture = new Fixture();
  for (const folder of ["etc", "config"]) mkdirSync(fixture.path(folder));
  const names = ["admin", "backup", "readonly", "recovery"];
  writeFileSync(fixture.path("etc/passwd"), names.map((name, index) => `${name}:x:${800 + index}:${800 + index}::/:/bin/sh\n`).join(""));
  writeFileSync(fixture.path("etc/group"), names.map((name, index) => `${name}:x:${800 + index}:\n`).join(""));
  fixture.touch("config/CONFIGURED");
  fixture.touch("with-network");
});

interface Called {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function call(name: string, args: readonly string[], input: string | Uint8Array = ""): Called {
  return spawnSync(process.execPath, [join(import.meta.dirname, "../../support/fixture-cli.ts"), ...args], {
    argv0: name.startsWith("guestos-boot") ? process.execPath : `/opt/ic/bin/${name}`,
    encoding: "utf8",
    input,
    env: { ...process.env, FIXTURE_ROOT: fixture.root, NO_COLOR: "" },
  });
}

describe("provision-ssh-keys.sh", () => {
  const provision = (account: string, input: string | Uint8Array): Called => call("provision-ssh-keys.sh", [account], input);

  test("keys of standard input take the place of those before them, permanently and for sshd, and a second call changes nothing", () => {
    // No newline at the end: so the orchestrator joins them.
    expect(provision("readonly", `${KEY} one\n${OTHER}`)).toMatchObject({ status: 0, stdout: "readonly: 2 keys\n", stderr: "" });
    for (const file of [STORED, IN_FORCE]) expect(readFileSync(fixture.path(file), "utf8")).toBe(`${KEY} one\n${OTHER}\n`);
    expect(statSync(fixture.path(IN_FORCE))).toMatchObject({ mode: 0o100640, uid: 0, gid: 802 });
    const before = [STORED, IN_FORCE].map((file) => statSync(fixture.path(file)).ino);
    expect(provision("readonly", `${KEY} one\n${OTHER}\n`).stdout).toBe("readonly: 2 keys, as before\n");
    expect([STORED, IN_FORCE].map((file) => statSync(fixture.path(file)).ino)).toEqual(before);
    expect(provision("readonly", OTHER).stdout).toBe("readonly: 1 key\n");
    expect(readFileSync(fixture.path(IN_FORCE), "utf8")).toBe(`${OTHER}\n`);
  });

  test("no keys at all: no one can log in to it any more, and the file says so for the next boot", () => {
    provision("readonly", KEY);
    expect(provision("readonly", "")).toMatchObject({ status: 0, stdout: "readonly: 0 keys\n" });
    for (const file of [STORED, IN_FORCE]) expect(readFileSync(fixture.path(file), "utf8")).toBe("");
  });

  test("a line that is no key neither locks the others out, nor keeps a key in force that is gone from the list", () => {
    provision("readonly", KEY);
    const { status, stdout, stderr } = provision("readonly", `not a key\n${OTHER}\n`);
    expect([status, stdout]).toEqual([12, "readonly: 1 key\n"]);
    expect(stderr.replaceAll(/\s+/g, " ")).toMatch(/no public key; the other keys are in force at standard input:1:1 found "not"/);
    expect(readFileSync(fixture.path(IN_FORCE), "utf8")).toBe(`${OTHER}\n`);
  });

  test.each([
    ["an option that runs a command", `command="sh" ${KEY}\n`],
    ["a byte order mark and carriage returns", `\ufeff${KEY} a\r\n`],
    ["bytes that are no text", Buffer.from(`${KEY} \xff\xfe\n`, "latin1")],
    ["NULs", `${KEY}\0root\n`],
    ["a line of a hundred thousand characters", `${"x".repeat(100_000)}\n${KEY}\n`],
  ])("whatever is in the input, only keys come out: %s", (_, input) => {
    const { status } = provision("readonly", input);
    expect([0, 12]).toContain(status);
    expect(readFileSync(fixture.path(IN_FORCE), "utf8")).toMatch(/^(?:ssh-ed25519 [A-Za-z0-9+/=]+(?: [\x20-\x7e]*)?\n)?$/);
  });

  test.each([
    ["root", 2],
    ["../readonly", 2],
    ["readonly\nroot", 2],
    ["toString", 2],
  ])("%j is no account whose keys may be given", (account, code) => {
    const { status, stdout, stderr } = provision(account, KEY);
    expect([status, stdout]).toEqual([code, ""]);
    expect(stderr).toMatch(/^guestos-boot: /);
    expect(existsSync(fixture.path("config/accounts_ssh_authorized_keys"))).toBe(false);
  });

  test("one account, and no more words", () => {
    expect(call("provision-ssh-keys.sh", [], KEY).status).toBe(2);
    expect(call("provision-ssh-keys.sh", ["readonly", "admin"], KEY).status).toBe(2);
  });

  test("more than a mebibyte is not read on, and changes nothing", () => {
    const { status, stderr } = provision("readonly", Buffer.alloc(2 * 1024 * 1024, `${KEY}\n`));
    expect([status, existsSync(fixture.path(STORED))]).toEqual([12, false]);
    expect(stderr).toContain("standard input is too long; nothing was changed");
  });

  test("a node that has not taken in its configuration, or has no such account, is not changed", () => {
    spawnSync("rm", [fixture.path("config/CONFIGURED")]);
    expect(provision("readonly", KEY)).toMatchObject({ status: 12, stderr: expect.stringContaining("has not taken in its configuration") });
    fixture.touch("config/CONFIGURED");
    writeFileSync(fixture.path("etc/passwd"), "root:x:0:0::/:/bin/sh\n");
    expect(provision("readonly", KEY)).toMatchObject({ status: 12, stderr: expect.stringContaining("the image has no account readonly") });
    expect(existsSync(fixture.path("config/accounts_ssh_authorized_keys"))).toBe(false);
  });

  test("it is a command of the program, as its help has it", () => {
    const words = argumentsOf(provisionKeys, { " < readonly.pub": "" }).split(" ");
    expect(call("guestos-boot", words, KEY)).toMatchObject({ status: 0, stdout: "readonly: 1 key\n" });
  });
});

describe("guestos_tool", () => {
  const guestosTool = (...args: readonly string[]): Called => call("guestos_tool", args);
  const regenerate = (...args: readonly string[]): Called => guestosTool(argumentsOf(regenerateByTool), ...args);
  const applied = (): unknown => JSON.parse(readFileSync(fixture.path("applied"), "utf8"));
  const GOOD = ["--ipv4-address=192.0.2.17", "--ipv4-prefix-length=24", "--ipv4-gateway=192.0.2.1"];

  test("regenerate-network-config takes an address, and without one gives back the configuration's", () => {
    expect(regenerate(...GOOD).status).toBe(0);
    expect(applied()).toEqual({ ipv4_address: "192.0.2.17/24", ipv4_gateway: "192.0.2.1" });
    expect(regenerate(...GOOD)).toMatchObject({ status: 0, stdout: expect.stringContaining("unchanged") });
    expect(call("guestos-boot", [argumentsOf(regenerateCommand)]).status).toBe(0);
    expect(applied()).toBeNull();
  });

  // More of them: test/unit/config/state/ipv4-settings.test.ts.
  test.each([
    ["a length is missing", [GOOD[0], GOOD[2]], "--ipv4-prefix-length is missing"],
    ["a section of networkd's", ["--ipv4-address=192.0.2.17\n[Route]", ...GOOD.slice(1)], "--ipv4-address cannot be used"],
    ["another option", [...GOOD, "--force"], "unknown option"],
    ["a word too many", [...GOOD, "now"], "too many arguments"],
  ] as const)("%s is refused, and changes nothing", (_, args, why) => {
    const { status, stdout, stderr } = regenerate(...args.map((arg) => arg ?? ""));
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
    expect(existsSync(fixture.path("applied"))).toBe(false);
    expect(existsSync(fixture.path("run/ipv4.json"))).toBe(false);
  });

  test("it has no other command", () => {
    for (const args of [["run"], ["cloud-provision"], ["upgrade", "commit"], ["--unit", "network"]])
      expect(guestosTool(...args).status).toBe(2);
    expect(guestosTool().stdout).toContain("Usage: guestos-boot regenerate-network-config");
    expect(existsSync(fixture.path("made-first"))).toBe(false);
  });
});

describe("manageboot.sh", () => {
  test.each([
    [["hostos", "confirm"], "this is a GuestOS: manageboot has no hostos here"],
    [["guestos"], "there is no verb"],
    [["guestos", "frobnicate"], 'there is no verb "frobnicate" of manageboot'],
    [["guestos confirm"], 'there is no verb "guestos confirm" of manageboot'],
    [["-f", "/etc/shadow", "guestos", "confirm"], "manageboot -f is for next alone"],
    [["guestos", "confirm", "--force"], "unknown option '--force'"],
    [["guestos", "upgrade-install"], "missing required argument"],
    [["guestos", "upgrade-install", "/boot.img", "/root.img"], "too many arguments"],
    [["guestos", "\u001b[31mred"], "there is no verb"],
    [[], "missing required argument"],
  ] as const)("%j is refused", (args, why) => {
    const { status, stdout, stderr } = call("manageboot.sh", args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain("\u001b");
  });

  test("next reads another block where one is named; one that is not there is a mistake", () => {
    const block = "# GRUB Environment Block\nboot_alternative=B\nboot_cycle=stable\n".padEnd(1024, "#");
    writeFileSync(fixture.path("block"), block);
    expect(call("manageboot.sh", ["-f", fixture.path("block"), "guestos", "next"])).toMatchObject({ status: 0, stdout: "B\n" });
    expect(call("manageboot.sh", ["guestos", "next"])).toMatchObject({ status: 0, stdout: "A\n" });
    expect(call("manageboot.sh", ["-f", fixture.path("none"), "guestos", "next"]).status).toBe(12);
  });
});
