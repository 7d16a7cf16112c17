import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namespaceRoot } from "../../support/namespace.ts";
import { NODE_FOLDER, writeNodeFolder } from "../../support/node-folders.ts";

const main = join(import.meta.dirname, "../../../src/cli/main.ts");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function check(cwd: string, ...args: readonly string[]): Ended {
  return spawnSync(process.execPath, [main, "check-node-config", ...args], { cwd, encoding: "utf8" });
}

function folder(others: Readonly<Record<string, string | Uint8Array | undefined>> = {}): string {
  const root = namespaceRoot();
  writeNodeFolder(join(root, "node7"), others);
  return root;
}

test("a good folder ends with 0, and with the addresses that the node will have", () => {
  const root = folder();
  expect(check(root, "--mac", "B0-7B-25-C8-F6-C0", "node7")).toEqual(
    expect.objectContaining({
      status: 0,
      stderr: "",
      stdout: [
        "network       mainnet",
        "operator key  in the folder",
        "ssh keys      admin 1",
        "",
        "SetupOS             6a:0f:00:ec:bd:51  2602:ffe4:801:17:680f:ff:feec:bd51",
        "HostOS              6a:00:00:ec:bd:51  2602:ffe4:801:17:6800:ff:feec:bd51",
        "GuestOS             6a:01:00:ec:bd:51  2602:ffe4:801:17:6801:ff:feec:bd51",
        "GuestOS, upgrading  6a:02:00:ec:bd:51  2602:ffe4:801:17:6802:ff:feec:bd51",
        "",
        "No mistakes.",
        "",
      ].join("\n"),
    }),
  );
});

test("without the BMC's address the rest is checked, and what is missing is said", () => {
  const { status, stdout } = check(folder(), "node7");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^not known: the addresses of the node are not known[\s\S]*give it with --mac[\s\S]*No mistakes\.\n$/);
  expect(stdout).not.toContain("6a:0");
});

test("all mistakes of all files are told at once, with their places, and it ends with 12", () => {
  const root = folder({
    "config.ini": "ipv6_prefix=2602:ffe4:801:17::\r\nipv6_gateway=banana\r\nnode_reward_type=type3.1 # new\r\nipv4_adress=1.2.3.4\r\n",
    "deployment.json": '{\n  "deployment": {"deployment_environment": "moonnet"}\n}\n',
    "ssh_authorized_keys/admin": "ssh-ed25519 banana\n",
    "node_operator_private_key.pem": "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n",
  });
  const { status, stdout, stderr } = check(root, "--mac", "b0:7b:25:c8:f6:c0", "node7");
  expect([status, stderr]).toEqual([12, ""]);
  for (const place of [
    "config.ini:1:13",
    "config.ini:2:14",
    "config.ini:3:26",
    "config.ini:4:1",
    "deployment.json:2:44",
    "ssh_authorized_keys/admin:1:13",
    "node_operator_private_key.pem",
  ])
    expect(stdout).toContain(`at       ${place}\n`);
  expect(stdout).toMatch(/\n\d+ mistakes: correct them before the stick is used\.\n$/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("docs/setupos.md shows what is said of mistakes, word for word", () => {
  const [, shown = ""] = /^```text\n(mistake: [^]*?)```$/m.exec(readFileSync("docs/setupos.md", "utf8")) ?? [];
  const ini = NODE_FOLDER["config.ini"].replace("801:17\n", "801:17::\n").replace("\n\nnode", "\nnode").replace("type3.1", "type3.1 # new");
  expect(check(folder({ "config.ini": ini }), "--mac", "b0:7b:25:c8:f6:c0", "node7").stdout).toBe(shown);
});

test("a stick's partition config alone is enough: the rest of the image is taken to be of mainnet, and that is said", () => {
  const { status, stdout } = check(folder({ "deployment.json": undefined }), "--mac", "b0:7b:25:c8:f6:c0", "node7");
  expect(status).toBe(0);
  expect(stdout).toContain("so mainnet is taken to be the");
  expect(stdout).toContain("GuestOS             6a:01:00:ec:bd:51");
});

test("--json has the very configuration that is stored, without the operator's key", () => {
  const { status, stdout } = check(folder(), "--json", "--mac", "b0:7b:25:c8:f6:c0", "node7");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    sound: true,
    hostosConfig: { config_version: "1.17.0", icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0", node_operator_private_key: "[secret]" } },
    guestosConfig: {
      network_settings: { ipv6_config: { Fixed: { address: "2602:ffe4:801:17:6801:ff:feec:bd51/64", gateway: "2602:ffe4:801:17::1" } } },
    },
  });
  const [, secret = ""] = NODE_FOLDER["node_operator_private_key.pem"].split("\n");
  expect(secret.length).toBeGreaterThan(40);
  expect(stdout).not.toContain(secret);
});

test("a name that a laptop hides the end of is found, and so is nothing at all", () => {
  const root = folder({ "config.ini": undefined, "config.ini.txt": NODE_FOLDER["config.ini"] });
  const { status, stdout } = check(root, "node7");
  expect([status, stdout]).toEqual([12, expect.stringContaining('found    "config.ini.txt"') as string]);
  expect(check(root, "nowhere")).toMatchObject({ status: 12, stderr: expect.stringContaining("there is no folder nowhere") as string });
  expect(check(root, "node7/deployment.json")).toMatchObject({
    status: 12,
    stderr: expect.stringContaining("there is no folder") as string,
  });
});

test("what is no small regular file is not opened: a pipe would never end", () => {
  const root = folder({ "config.ini": undefined, "deployment.json": `"${"x".repeat(70_000)}"` });
  spawnSync("mkfifo", [join(root, "node7/config.ini")]);
  rmSync(join(root, "node7/node_operator_private_key.pem"));
  symlinkSync("/dev/zero", join(root, "node7/node_operator_private_key.pem"));
  const { status, stdout } = check(root, "--json", "node7");
  expect(status).toBe(12);
  const { mistakes } = JSON.parse(stdout) as { readonly mistakes: readonly { readonly code: string; readonly where: object }[] };
  expect(mistakes.map(({ code, where }) => [code, where])).toEqual([
    ["not-a-file", { file: "config.ini" }],
    ["file-too-long", { file: "deployment.json" }],
    ["not-a-file", { file: "node_operator_private_key.pem" }],
  ]);
});

test("an address that is none, and no folder, are wrong usage", () => {
  const root = folder();
  for (const mac of ["b0:7b:25:c8:f6", "01:00:5e:00:00:01", "00:00:00:00:00:00", "banana"])
    expect(check(root, "--mac", mac, "node7")).toMatchObject({ status: 2, stdout: "" });
  expect(check(root)).toMatchObject({ status: 2, stderr: expect.stringContaining("missing required argument 'folder'") as string });
});

test("nothing is changed, and what a system leaves on a stick is no matter", () => {
  const root = folder({ ".DS_Store": "x", "System Volume Information/x": "y", "ssh_authorized_keys/._admin": "x" });
  writeFileSync(join(root, "node7/notes.txt"), "of the operator");
  const seen = (): string =>
    JSON.stringify(
      readdirSync(join(root, "node7"), { recursive: true, encoding: "utf8" })
        .toSorted()
        .map((name) => {
          const path = join(root, "node7", name);
          return [name, statSync(path).mtimeMs, statSync(path).isFile() ? readFileSync(path, "hex") : ""];
        }),
    );
  const before = seen();
  expect(check(root, "--mac", "b0:7b:25:c8:f6:c0", "node7")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("\nNo mistakes.\n") as string,
  });
  expect(seen()).toBe(before);
});
