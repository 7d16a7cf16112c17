import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkHardware, checkHardwareAndPorts, checkHardwareReplacing } from "../../support/documented/elsewhere.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { NODE_FOLDER, writeNodeFolder } from "../../support/node-folders.ts";

const main = join(import.meta.dirname, "../../../src/cli/main.ts");

function check(
  cwd: string,
  command = checkHardware,
  ...more: readonly string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [, ...args] = command.split(" ");
  return spawnSync(process.execPath, [main, ...args, ...more], { cwd, encoding: "utf8" });
}

function folder(others: Readonly<Record<string, string | undefined>> = {}): string {
  const root = namespaceRoot();
  writeNodeFolder(join(root, "stick"), others);
  return root;
}

test("a machine that is not one for nodes is refused, by the real tools, and its own disk is left", () => {
  const { status, stdout, stderr } = check(folder());
  expect([status, stderr]).toEqual([12, ""]);
  expect(stdout).toContain("mistake: the large drives are too small\n");
  expect(stdout).toMatch(/\nreward type {2}type3\.1\nprocessors {3}\d+ × \S.*\nthreads {6}\d+\nmemory {7}[\d.]+ GiB\n/);
  expect(stdout).toMatch(/\n\/dev\/\S+ {2}[^\n]*\n {2}left: this system runs from it: \/\S* is on it\n/);
});

test("its document has each disk that lsblk shows", () => {
  const { drives } = JSON.parse(check(folder(), checkHardware, "--json").stdout) as {
    readonly drives: readonly { readonly path: string; readonly bytes: number }[];
  };
  const shown = spawnSync("lsblk", ["--nodeps", "--noheadings", "--bytes", "--output", "PATH,SIZE,TYPE"], { encoding: "utf8" }).stdout;
  const disks = shown.split("\n").flatMap((line) => {
    const [path = "", bytes = "", type] = line.trim().split(/\s+/);
    return type === "disk" && !path.startsWith("/dev/zram") ? [{ path, bytes: Number(bytes) }] : [];
  });
  expect(disks.length).toBeGreaterThan(0);
  expect(drives.map(({ path, bytes }) => ({ path, bytes }))).toEqual(expect.arrayContaining(disks));
});

test("without a reward type it is told what is missing, and what is wrong all the same", () => {
  const { status, stdout } = check(folder({ "config.ini": "node_reward_type=banana\n" }));
  expect(status).toBe(12);
  expect(stdout).toContain("code     reward-type-not-known\n");
  expect(stdout).toContain("reward type  not known\n");
});

test("a token is told that is not needed, by option or in config.ini, and one that is none is wrong usage", () => {
  const told = /warning: there is a token, and nothing on the drives for which one is needed\n {2}found {4}7KQ2-M9XD\n/;
  expect(check(folder(), checkHardwareReplacing)).toMatchObject({ status: 12, stdout: expect.stringMatching(told) as string });
  const ini = `${NODE_FOLDER["config.ini"]}replace_installed=7kq2m9xd\n`;
  expect(check(folder({ "config.ini": ini }))).toMatchObject({ status: 12, stdout: expect.stringMatching(told) as string });
  expect(check(folder(), checkHardware, "--replace", "banana")).toMatchObject({ status: 2, stdout: "" });
});

test("the node's addresses and the ports are shown; without an address of the installer no port is tried, and that is said", () => {
  const deployment = JSON.parse(NODE_FOLDER["deployment.json"]) as { readonly deployment: object };
  const withMac = JSON.stringify({ ...deployment, deployment: { ...deployment.deployment, mgmt_mac: "b0:7b:25:c8:f6:c0" } });
  const { stdout } = check(folder({ "deployment.json": withMac }));
  expect(stdout).toContain(
    "\nBMC          b0:7b:25:c8:f6:c0\n\nSetupOS             6a:0f:00:ec:bd:51  2602:ffe4:801:17:680f:ff:feec:bd51\n",
  );
  expect(stdout).toMatch(/\nport +link +speed +at most +gateway\n/);
  const { status, stdout: tried } = check(folder({ "config.ini": "node_reward_type=type3\n" }), checkHardwareAndPorts);
  expect(status).toBe(12);
  expect(tried).toContain("code     ports-not-tried\n");
});

test("an ordinary account is sent to root, before anything is asked", () => {
  const root = folder();
  const { status, stderr } = spawnSync(
    "setpriv",
    ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, main, "check-node-hardware", join(root, "stick")],
    { encoding: "utf8" },
  );
  expect([status, stderr]).toEqual([5, expect.stringContaining("only root may do this") as string]);
});
