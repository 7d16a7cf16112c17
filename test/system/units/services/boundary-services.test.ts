import { type ChildProcess } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { danted } from "../../../../src/units/services/danted.ts";
import { nginx } from "../../../../src/units/services/nginx.ts";
import {
  askInside,
  boundaryHost,
  boundaryTestLayout,
  certificateFor,
  daemons,
  talkInside,
  type TestPair,
  writeConfig,
} from "../../../support/boundary-node.ts";
import { type FakeSystemd, fakeSystemd } from "../../../support/fake-systemd.ts";
import { eventually } from "../../../support/metrics-tools.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";
import { type PrivateBus, privateBus } from "../../../support/private-bus.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

// Debian's nginx and danted in a network of their own. What systemd would do for a job, the test does: start them as the drop-ins
// of etc/boundary do, and tell them to reload. Told in order: each test starts where the one before has left the node.

const CONF = "/run/ic-node/etc/nginx/nginx.conf";
const DANTED_CONF = "/run/ic-node/etc/danted.conf";
const ADDRESS = "10.9.9.9";
let bus: PrivateBus;
let systemd: FakeSystemd;
let node: NetworkNamespace;
let machine: TestMachine;
let first: TestPair;
let server: ChildProcess;
let proxy: ChildProcess;

beforeAll(async () => {
  bus = await privateBus();
  systemd = await fakeSystemd(bus);
  for (const name of ["nginx.service", "danted.service"])
    systemd.units.set(name, { load: "loaded", active: "inactive", sub: "dead", result: "done" });
  node = await networkNamespace();
  await node.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far");
  for (const name of ["eth0", "far"]) await node.run("ip", "link", "set", name, "up");
  machine = testMachine(boundaryHost(node), boundaryTestLayout);
  first = certificateFor("ic0.app", "*.ic0.app");
});
afterAll(async () => {
  await node?.stop();
  await bus?.stop();
});

async function putCertificate({ certificate, key }: TestPair): Promise<void> {
  await writeConfig(node, "certs/privkey.pem", key);
  await writeConfig(node, "certs/fullchain.pem", certificate);
}

/** Asks over HTTPS by that name: the status, and the certificate that was shown. */
const ASK = `
  const request = require("node:https").request({ host: "127.0.0.1", servername: process.argv[1], path: process.argv[2], rejectUnauthorized: false,
    headers: { host: process.argv[1] }, agent: false }, (answer) => console.log(answer.statusCode, answer.socket.getPeerCertificate().fingerprint256));
  request.on("error", (error) => console.log(error.code));
  request.end();`;

function shown({ certificate }: TestPair): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** `nginx` in the foreground, as a child of the test. */
async function startNginx(): Promise<void> {
  server = node.start(daemons.nginx, ["-e", "stderr", "-c", CONF, "-g", "daemon off;"]);
  await eventually(
    async () => askInside(node, ASK, "ic0.app", "/health"),
    (answer) => answer !== "ECONNREFUSED",
  );
}

test("without domains, and then without a certificate, nothing is served, and it is said why", async () => {
  expect(await problemOf(async () => runUnit(nginx, machine))).toMatchObject({
    what: "no domain is configured for nginx; nginx was not changed",
    where: { file: "/run/config/bn_vars.conf" },
  });
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app\napplication_domains=icp0.io\n");
  expect(await problemOf(async () => runUnit(nginx, machine))).toMatchObject({ expected: "both in /run/config/certs" });
  expect(systemd.jobs).toEqual([]);
});

test("with both, nginx is configured, found good by nginx itself, and started; once", async () => {
  await putCertificate(first);
  expect(await runUnit(nginx, machine)).toEqual(["start nginx.service, to serve ic0.app icp0.io"]);
  expect(machine.notes).toEqual([expect.stringMatching(/^the certificate in .*fullchain\.pem is not for icp0\.io/)]);
  expect(await runUnit(nginx, machine)).toEqual([]);
  expect(systemd.jobs).toEqual(["StartUnit nginx.service"]);
});

test("a request for a name of the node is answered with the certificate, and one for another name is not answered at all", async () => {
  await startNginx();
  expect(await askInside(node, ASK, "ic0.app", "/health")).toBe(`204 ${shown(first)}`);
  expect(await askInside(node, ASK, "canister.ic0.app", "/health")).toBe(`204 ${shown(first)}`);
  expect(await askInside(node, ASK, "example.org", "/health")).not.toContain(shown(first));
  // No one is behind it.
  expect(await askInside(node, ASK, "ic0.app", "/")).toBe(`502 ${shown(first)}`);
});

test("only root can read the key that nginx uses", async () => {
  const [generation = ""] = (await node.host.list("/run/ic-node/etc/nginx"))?.filter((name) => name.startsWith("tls-")) ?? [];
  expect(await node.host.stat(`/run/ic-node/etc/nginx/${generation}/privkey.pem`)).toMatchObject({ mode: 0o600, uid: 0 });
});

test("another certificate is taken up by a reload, while a request that is going on comes to its end", async () => {
  const second = certificateFor("ic0.app", "icp0.io");
  // What is behind nginx: it answers when it is told to.
  const behind = talkInside(
    node,
    `const readline = require("node:readline").createInterface({ input: process.stdin });
     require("node:http").createServer((request, answer) => { console.log("asked"); readline.once("line", () => answer.end("whole")); })
       .listen(3000, "127.0.0.1", () => console.log("ready"));`,
  );
  expect(await behind.line()).toBe("ready");
  const pending = askInside(node, ASK, "ic0.app", "/slow");
  expect(await behind.line()).toBe("asked");
  await putCertificate(second);
  const done = await runUnit(nginx, machine);
  expect(done).toEqual([
    "reload nginx.service, to serve ic0.app icp0.io",
    expect.stringMatching(/^remove .*\/tls-[0-9a-f]{16}, a certificate that is no longer used$/),
  ]);
  expect(systemd.jobs.at(-1)).toBe("ReloadUnit nginx.service");
  server.kill("SIGHUP");
  await eventually(
    async () => askInside(node, ASK, "ic0.app", "/health"),
    (answer) => answer === `204 ${shown(second)}`,
  );
  behind.say("now");
  expect(await pending).toBe(`200 ${shown(first)}`);
  expect(await runUnit(nginx, machine)).toEqual([]);
});

test("a key of another certificate, and a mistake in bn_vars.conf, name the file and leave nginx as it was", async () => {
  const before = await node.host.readText(CONF);
  await writeConfig(node, "certs/privkey.pem", first.key);
  expect(await problemOf(async () => runUnit(nginx, machine))).toMatchObject({
    what: "the key is not that of the certificate",
    where: { file: "/run/config/certs/privkey.pem" },
  });
  await putCertificate(first);
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app; include /etc/shadow\n");
  expect(await problemOf(async () => runUnit(nginx, machine))).toMatchObject({
    where: { file: "/run/config/bn_vars.conf", line: 1, column: 16 },
  });
  expect(await node.host.readText(CONF)).toBe(before);
  expect(systemd.jobs).toHaveLength(2);
});

test("what nginx itself refuses is not put in force, and stays to be inspected", async () => {
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app\n");
  const before = await node.host.readText(CONF);
  // Not there any more: no one can be given what nginx puts aside.
  const refusing = { ...machine, host: { ...machine.host, run: withBrokenConf() } };
  expect(await problemOf(async () => runUnit(nginx, refusing))).toMatchObject({
    what: "nginx refuses its configuration; it keeps the present one",
    where: { file: `${CONF}.new`, line: 2 },
    found: expect.stringContaining("unknown directive"),
  });
  expect(await node.host.readText(CONF)).toBe(before);
  expect(await node.host.readText(`${CONF}.new`)).toContain("bogus");
  expect(await runUnit(nginx, machine)).toHaveLength(2);
  expect(await node.host.stat(`${CONF}.new`)).toBeUndefined();
});

/** nginx as it would be if this program wrote something that it does not know: no value from outside can make it do so. */
function withBrokenConf(): TestMachine["host"]["run"] {
  return async (command) => {
    await node.host.writeFile(`${CONF}.new`, "# a defect\nbogus on;\n", { mode: 0o644 });
    return machine.host.run(command);
  };
}

/** Asks the proxy at that address (RFC 1928) for a connection to 10.9.9.9:8080, or to what comes third, and says what came back. */
const SOCKS = `
  const [from, by, to = "10.9.9.9"] = process.argv.slice(1);
  const socket = require("node:net").connect({ host: by, port: 1080, localAddress: from });
  let heard = Buffer.alloc(0), asked = false, open = false;
  const end = (text) => { console.log(text); process.exit(); };
  socket.on("connect", () => socket.write(Buffer.of(5, 1, 0)));
  socket.on("data", (bytes) => {
    heard = Buffer.concat([heard, bytes]);
    if (!asked && heard.length >= 2) { asked = true; heard = heard.subarray(2); socket.write(Buffer.of(5, 1, 0, ...(to === "mapped" ? [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1] : [1, ...to.split(".").map(Number)]), 31, 144)); }
    else if (asked && !open && heard.length >= 10) {
      if (heard[1] !== 0) end("refused " + heard[1]);
      open = true; heard = heard.subarray(10); socket.write("GET / HTTP/1.0\\r\\n\\r\\n");
    }
    if (open && heard.includes("hello")) end("hello");
  });
  socket.on("error", (error) => end(error.code));
  socket.on("close", () => end("closed"));`;

test("as long as no network may use the proxy, none runs", async () => {
  expect(await runUnit(danted, machine)).toEqual([]);
  expect(await node.host.stat(DANTED_CONF)).toBeUndefined();
});

test("an interface without an address is waited for; with one, danted is found good by itself, and started", async () => {
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app\nipv4_replica_ips=10.9.9.0/24\n");
  await node.run("ip", "address", "flush", "dev", "eth0");
  const error: unknown = await runUnit(danted, machine).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ retryable: true, problem: { found: 'interface "eth0" has no usable IP-addresses configured' } });
  await node.run("ip", "address", "add", `${ADDRESS}/24`, "dev", "eth0");
  expect(await runUnit(danted, machine)).toEqual(["start danted.service, to relay 10.9.9.0/24 by eth0"]);
  expect(await runUnit(danted, machine)).toEqual([]);
});

test("a machine of that network is taken where it wants to go, another one is not, and no one is taken to the node itself", async () => {
  proxy = node.start(daemons.danted, ["-f", DANTED_CONF, "-p", "/run/danted.pid"]);
  const target = talkInside(
    node,
    `require("node:http").createServer((_, answer) => answer.end("hello")).listen(8080, "0.0.0.0", () => console.log("ready"));`,
  );
  expect(await target.line()).toBe("ready");
  await eventually(
    async () => askInside(node, SOCKS, ADDRESS, ADDRESS),
    (answer) => answer !== "ECONNREFUSED",
  );
  expect(await askInside(node, SOCKS, ADDRESS, ADDRESS)).toBe("hello");
  expect(await askInside(node, SOCKS, "127.0.0.1", "127.0.0.1")).not.toBe("hello");
  expect(await askInside(node, SOCKS, ADDRESS, ADDRESS, "127.0.0.1")).toMatch(/^refused/);
  // ::ffff:127.0.0.1
  expect(await askInside(node, SOCKS, ADDRESS, ADDRESS, "mapped")).toMatch(/^refused/);
});

test("another network is taken up by a reload, and the one before is let in no longer", async () => {
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app\nipv4_replica_ips=127.0.0.0/8\n");
  expect(await runUnit(danted, machine)).toEqual(["reload danted.service, to relay 127.0.0.0/8 by eth0"]);
  expect(systemd.jobs.at(-1)).toBe("ReloadUnit danted.service");
  proxy.kill("SIGHUP");
  await eventually(
    async () => askInside(node, SOCKS, "127.0.0.1", "127.0.0.1"),
    (answer) => answer === "hello",
  );
  expect(await askInside(node, SOCKS, ADDRESS, ADDRESS)).not.toBe("hello");
});

test("an interface that does not exist is a conflict, and a network with bits behind its prefix a mistake with its place", async () => {
  await writeConfig(node, "bn_vars.conf", "ipv4_replica_ips=10.9.9.0/24\nsocks_interface=enp9s0\n");
  expect(await problemOf(async () => runUnit(danted, machine))).toMatchObject({ found: "no interface enp9s0" });
  await writeConfig(node, "bn_vars.conf", "ipv4_replica_ips=10.9.9.0/24 10.9.8.1/24\n");
  expect(await problemOf(async () => runUnit(danted, machine))).toMatchObject({
    where: { file: "/run/config/bn_vars.conf", line: 1, column: 30 },
    found: '"10.9.8.1/24"',
  });
  expect(systemd.jobs.at(-1)).toBe("ReloadUnit danted.service");
});

test("when no one is named any more, the proxy is stopped", async () => {
  await writeConfig(node, "bn_vars.conf", "system_domains=ic0.app\n");
  expect(await runUnit(danted, machine)).toEqual(["stop danted.service: no client network is configured"]);
  expect(systemd.jobs.at(-1)).toBe("StopUnit danted.service");
  expect(await runUnit(danted, machine)).toEqual([]);
});
