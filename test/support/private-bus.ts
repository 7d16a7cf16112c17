import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Message, type MessageBus, sessionBus } from "dbus-next";

/** A message bus for one test file, which takes the place of the system bus for as long as it runs. */
export interface PrivateBus {
  readonly address: string;
  readonly daemon: ChildProcess;
  /** Puts a service on the bus that answers calls as `answer` says. */
  readonly serve: (name: string, answer: Answer) => Promise<FakeService>;
  readonly stop: () => Promise<void>;
}

/** The reply to a call: a body, an error by name, or nothing at all (`silent`). */
export type Reply =
  | { readonly signature: string; readonly body: readonly unknown[] }
  | { readonly error: string; readonly text: string }
  | "empty"
  | "silent";

export type Answer = (member: string, body: readonly unknown[], message: Message) => Reply;

export interface FakeService {
  readonly connection: MessageBus;
  /** Members that were called, in order. */
  readonly calls: readonly string[];
  readonly signal: (path: string, interfaceName: string, member: string, signature: string, body: readonly unknown[]) => void;
}

/** Everyone may do everything: not the policy of the system bus is tested, but our side of the conversation. */
function config(folder: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${join(folder, "bus")}</listen><auth>EXTERNAL</auth><servicedir>${folder}</servicedir>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`;
}

/**
 * Starts a bus and points DBUS_SYSTEM_BUS_ADDRESS at it.
 *
 * @param services by name: what the bus would start when someone calls it
 */
export async function privateBus(services: Readonly<Record<string, string>> = {}): Promise<PrivateBus> {
  const folder = mkdtempSync(join(tmpdir(), "guestos-boot-bus-"));
  // networkd connects as a user of its own.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "bus.conf"), config(folder));
  for (const [name, program] of Object.entries(services)) {
    writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=${program}\n`);
  }
  const daemon = spawn("dbus-daemon", [`--config-file=${join(folder, "bus.conf")}`, "--nofork", "--nopidfile", "--print-address"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = createInterface({ input: daemon.stdout });
  const [line] = (await Promise.race([once(lines, "line"), once(daemon, "exit").then(() => [""])])) as [string];
  if (line === "") throw new Error("dbus-daemon did not start");
  // Without the guid, which is a new one for every bus.
  const address = line.split(",guid=")[0] ?? line;
  const before = process.env["DBUS_SYSTEM_BUS_ADDRESS"];
  process.env["DBUS_SYSTEM_BUS_ADDRESS"] = address;
  const connections: MessageBus[] = [];
  return {
    address,
    daemon,
    async serve(name, answer) {
      const service = await fakeService(address, name, answer);
      connections.push(service.connection);
      return service;
    },
    async stop() {
      for (const connection of connections) connection._connection.stream.destroy();
      if (daemon.exitCode === null && daemon.signalCode === null) {
        const exited = once(daemon, "exit");
        daemon.kill("SIGKILL");
        await exited;
      }
      rmSync(folder, { recursive: true });
      if (before === undefined) delete process.env["DBUS_SYSTEM_BUS_ADDRESS"];
      else process.env["DBUS_SYSTEM_BUS_ADDRESS"] = before;
    },
  };
}

async function fakeService(address: string, name: string, answer: Answer): Promise<FakeService> {
  const connection = sessionBus({ busAddress: address, authMethods: ["EXTERNAL"] });
  connection.on("error", () => undefined);
  await connection.requestName(name);
  const calls: string[] = [];
  connection.addMethodHandler((message) => {
    calls.push(message.member);
    const reply = answer(message.member, message.body, message);
    if (reply === "silent") return true;
    if (reply === "empty") connection.send(Message.newMethodReturn(message));
    else if ("error" in reply) connection.send(Message.newError(message, reply.error, reply.text));
    else connection.send(Message.newMethodReturn(message, reply.signature, reply.body));
    return true;
  });
  return {
    connection,
    calls,
    signal: (path, interfaceName, member, signature, body) =>
      connection.send(Message.newSignal(path, interfaceName, member, signature, body)),
  };
}
