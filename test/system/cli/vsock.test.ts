import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { argumentsOf, hostNotify, hostUpgrade, hostVersion } from "../../support/documented/elsewhere.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { schemaIssues } from "../../support/json-schema.ts";
import { systemdOfTests } from "../../support/systemd-of-tests.ts";

/**
 * The agent as systemd starts it, a process for each connection, and the guest's command that asks it. No machine is between them: a Unix
 * socket is in the place of the vsock, and REMOTE_ADDR is given as systemd would give it.
 */

const CLI = join(import.meta.dirname, "../../support/fixture-cli.ts");
const HASH = "ab".repeat(32);

const UPGRADE = `guestos-vsock-upgrade@${HASH}.service`;
const tested = systemdOfTests(["guestos-vsock-notice.service", UPGRADE]);

let fixture: Fixture;
let listener: ChildProcess;
/** What the agents have said to the journal. */
let journal = "";
beforeEach(() => {
  fixture = new Fixture();
  writeFileSync(fixture.path("version.txt"), "7b4c1d6e\n");
});
afterEach(async () => stop(listener));

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}

async function listen(peer: string, options: readonly string[] = [], confined: readonly string[] = []): Promise<void> {
  journal = "";
  const environment = [
    `REMOTE_ADDR=${peer}`,
    `FIXTURE_ROOT=${fixture.root}`,
    `DBUS_SYSTEM_BUS_ADDRESS=${process.env["DBUS_SYSTEM_BUS_ADDRESS"]}`,
  ];
  listener = spawn("systemd-socket-activate", [
    ...["--accept", "--inetd", `--listen=${fixture.path("vsock")}`, ...environment.map((each) => `--setenv=${each}`)],
    ...[...confined, process.execPath, CLI, "vsock-agent", ...options],
  ]);
  listener.stderr?.on("data", (chunk) => (journal += String(chunk)));
  while (!journal.includes("Listening")) await new Promise((resolve) => setTimeout(resolve, 20));
}

interface Replied {
  readonly reply: unknown;
  readonly seconds: number;
}

/** Sends the pieces, half a second apart, and returns all that comes until the agent closes. */
async function send(pieces: readonly (string | Uint8Array)[], { closes = false } = {}): Promise<Replied> {
  const began = Date.now();
  const socket = connect({ path: fixture.path("vsock"), allowHalfOpen: true });
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => (text += String(chunk)));
  const ended = once(socket, "end");
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 500));
    socket.write(piece);
  }
  if (closes) socket.end();
  await ended;
  socket.destroy();
  return { reply: JSON.parse(text), seconds: (Date.now() - began) / 1000 };
}

const VERSION = '{"sender_cid":3,"message":"GetHostOSVersion"}';

describe("the agent", () => {
  test("answers a guest that closes its side and one that does not, in pieces too, and closes behind the reply", async () => {
    await listen("vsock:3");
    const answered = { reply: { Ok: { HostOSVersion: "7b4c1d6e" } } };
    expect(await send([VERSION])).toMatchObject(answered);
    expect(await send([VERSION], { closes: true })).toMatchObject(answered);
    expect(await send([VERSION.slice(0, 10), VERSION.slice(10, 30), VERSION.slice(30)])).toMatchObject(answered);
    expect(await send(['{"sender_cid":"3","message":"reboot"}'])).toMatchObject({
      reply: { message: 'unknown command "reboot"', status: "error" },
    });
    expect(journal).toContain("CID 3: GetHostOSVersion: done\n");
    expect(journal).toContain('CID 3: no command: unknown command "reboot"\n');
    // A guest's mistake is no failure of the service.
    expect(journal).not.toMatch(/died with code [1-9]/);
  });

  test("waits five seconds for half a request, and reads no more than it may have", async () => {
    await listen("vsock:3");
    const { reply, seconds } = await send([VERSION.slice(0, 20)]);
    expect(reply).toEqual({ Err: "the request did not arrive within 5 s" });
    expect(seconds).toBeGreaterThan(4.9);
    expect(seconds).toBeLessThan(15);
    expect(await send([VERSION.slice(0, 20)], { closes: true })).toMatchObject({
      reply: { Err: expect.stringContaining("no JSON object") },
    });
    expect(await send([], { closes: true })).toMatchObject({ reply: { Err: expect.stringContaining("no JSON object") } });
    expect(await send([Buffer.alloc(4097, "x")])).toMatchObject({ reply: { Err: "the request is longer than 4096 bytes" } });
    expect(await send([Buffer.alloc(60_000, "x")])).toMatchObject({ reply: { Err: "the request is longer than 4096 bytes" } });
    expect(await send([VERSION.padEnd(4096)])).toMatchObject({ reply: { Ok: { HostOSVersion: "7b4c1d6e" } } });
  });

  test("a guest that goes away in the middle harms no one", async () => {
    await listen("vsock:3");
    for (let count = 0; count < 3; count += 1) {
      const socket = connect(fixture.path("vsock"));
      socket.on("error", () => undefined).write(VERSION.slice(0, 20 * count));
      await once(socket, "connect");
      socket.destroy();
    }
    expect(await send([VERSION])).toMatchObject({ reply: { Ok: { HostOSVersion: "7b4c1d6e" } } });
  });

  test.each([
    ["vsock:4", [], { Err: "CID 4 is not served" }],
    ["vsock:3:1024", [], { Err: "the connection comes from no virtual machine" }],
    ["192.0.2.3", [], { Err: "the connection comes from no virtual machine" }],
    ["vsock:3", ["--cid", "4"], { Err: "CID 3 is not served" }],
    ["vsock:3", ["--cid", "4", "--cid", "3"], { Ok: { HostOSVersion: "7b4c1d6e" } }],
  ] as const)("a connection of %s, with %j: %j", async (peer, options, reply) => {
    await listen(peer, options);
    expect(await send([VERSION])).toMatchObject({ reply });
  });

  test("the reply to a notice does not wait for it to be shown", async () => {
    await listen("vsock:3");
    const { reply, seconds } = await send(['{"sender_cid":3,"message":{"notify":{"count":10,"message":"joined"}}}']);
    expect(reply).toEqual({ Ok: "NoPayload" });
    expect(seconds).toBeLessThan(10);
    expect(tested.systemd.jobs).toEqual(["RestartUnit guestos-vsock-notice.service"]);
    expect(readFileSync(fixture.path("run/vsock/notice.json"), "utf8")).toBe('{"count":10,"message":"joined"}');
  });

  test("needs no capability and no network, as guestos-vsock@.service has it", async () => {
    const service = readFileSync("etc/hostos/systemd/system/guestos-vsock@.service", "utf8");
    expect(service).toMatch(/^CapabilityBoundingSet=\nAmbientCapabilities=\nNoNewPrivileges=yes$/m);
    expect(service).toMatch(/^PrivateNetwork=yes$/m);
    await listen("vsock:3", [], ["unshare", "--net", "setpriv", "--no-new-privs", "--bounding-set=-all"]);
    expect(await send(['{"sender_cid":3,"message":{"notify":{"count":1,"message":"joined"}}}'])).toMatchObject({
      reply: { Ok: "NoPayload" },
    });
    expect(await send([`{"sender_cid":"3","message":"upgrade[https://example.org/i.tar ${HASH}]"}`])).toMatchObject({
      reply: { message: "accepted request", status: "ok" },
    });
    expect(tested.systemd.jobs).toEqual(["RestartUnit guestos-vsock-notice.service", `StartUnit ${UPGRADE}`]);
  });

  test("shows a notice that was handed over, and says so when there is none", async () => {
    await listen("vsock:3");
    expect(await fixture.run("vsock-agent", "--notice")).toMatchObject({
      status: 12,
      stderr: expect.stringContaining("no notice of the guest"),
    });
    // Not a single time: the consoles are this machine's own.
    await send(['{"sender_cid":3,"message":{"notify":{"count":0,"message":"joined"}}}']);
    expect(await fixture.run("vsock-agent", "--notice")).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
  });
});

describe("the guest", () => {
  interface Called {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }

  /** The real socat, which goes to the agent's Unix socket in place of the vsock. */
  beforeEach(() => {
    if (!existsSync(fixture.path("socat"))) copyFileSync("/usr/bin/socat", fixture.path("socat"));
    const wrapper = fixture.path("wrapper");
    writeFileSync(
      wrapper,
      `#!/bin/sh\nfor last; do :; done\n[ "$last" = VSOCK-CONNECT:2:19090 ] || exit 9\nexec ${fixture.path("socat")} "$1" "$2" "$3" UNIX-CONNECT:${fixture.path("vsock")}\n`,
    );
    chmodSync(wrapper, 0o755);
    if (spawnSync("mount", ["--bind", wrapper, "/usr/bin/socat"]).status !== 0) throw new Error("cannot bind over socat");
  });
  afterEach(() => spawnSync("umount", ["/usr/bin/socat"]));

  async function call(argv0: string, args: readonly string[]): Promise<Called> {
    const child = spawn(process.execPath, [CLI, ...args], { argv0, env: { ...process.env, FIXTURE_ROOT: fixture.root, NO_COLOR: "" } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += String(chunk)));
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const [status] = (await once(child, "close")) as [number | null];
    return { status, stdout, stderr };
  }

  test("asks its host, by today's name and by the old one", async () => {
    await listen("vsock:3");
    expect(await call("guestos-boot", argumentsOf(hostVersion).split(" "))).toEqual({ status: 0, stdout: "7b4c1d6e\n", stderr: "" });
    expect(await call("/opt/ic/bin/vsock_guest", ["--get-hostos-version", "--port", "19090"])).toEqual({
      ...{ status: 0, stdout: "7b4c1d6e\n", stderr: "" },
    });
    expect((await call("guestos-boot", ["host", "protocol"])).stdout).toBe("1.0.0\n");
    const schema: unknown = JSON.parse(readFileSync("share/schemas/host.json", "utf8"));
    const document: unknown = JSON.parse((await call("guestos-boot", ["host", "version", "--json"])).stdout);
    expect([document, schemaIssues(schema, document)]).toEqual([{ reply: { HostOSVersion: "7b4c1d6e" } }, []]);
  });

  test("has an upgrade installed, and learns why not", async () => {
    await listen("vsock:3");
    const words = argumentsOf(hostUpgrade, { '"$HASH"': HASH }).split(" ");
    expect(await call("guestos-boot", words)).toEqual({ status: 0, stdout: "", stderr: "" });
    const other = "cd".repeat(32);
    const { status, stdout, stderr } = await call("/opt/ic/bin/vsock_guest", ["--upgrade", "https://example.org/i.tar", "--hash", other]);
    expect([status, stdout]).toEqual([12, ""]);
    expect(stderr).toContain("the host has not done it");
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(`cannot start guestos-vsock-upgrade@${other}.service: found no unit of that name`);
    expect(tested.systemd.jobs).toEqual([`StartUnit ${UPGRADE}`]);
    expect(existsSync(fixture.path(`run/vsock/upgrade-${other}`))).toBe(false);
  });

  test("what its host would refuse is not sent", async () => {
    await listen("vsock:3");
    for (const args of [
      ["host", "upgrade", "http://example.org/i.tar", "--hash", HASH],
      ["host", "upgrade", "https://example.org/i.tar", "--hash", "abc"],
      ["host", "upgrade", "https://example.org/i.tar"],
      ["host", "notify", "x".repeat(1025)],
      ["host", "notify", "x", "--count", "-1"],
      ["host", "version", "--port", "0"],
      ["host", "reboot"],
      ["host", "--reboot"],
    ])
      expect(await call("guestos-boot", args), args.join(" ")).toMatchObject({ status: 2, stdout: "" });
    expect(journal).not.toContain("CID 3");
  });

  test("a notice is sent with its text as one word", async () => {
    await listen("vsock:3");
    const [, count = "", text = ""] = /--count (\d+) "(.*)"$/.exec(hostNotify) ?? [];
    expect(await call("guestos-boot", ["host", "notify", "--count", count, text])).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(fixture.path("run/vsock/notice.json"), "utf8"))).toEqual({ count: 5, message: text });
    expect(await call("vsock_guest", ["--notify", "two words", "--count", "2"])).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(fixture.path("run/vsock/notice.json"), "utf8"))).toEqual({ count: 2, message: "two words" });
  });

  test("no host, or one that closes without a reply", async () => {
    await listen("vsock:3");
    await stop(listener);
    const silent = spawn(fixture.path("socat"), [`UNIX-LISTEN:${fixture.path("vsock")},unlink-early`, "EXEC:true"]);
    listener = silent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await call("guestos-boot", ["host", "version"])).toMatchObject({ status: 12, stderr: expect.stringContaining("no reply") });
    const { status, stderr } = await call("guestos-boot", ["host", "version"]);
    expect(status).toBe(12);
    expect(stderr).toContain("socat");
  });
});
