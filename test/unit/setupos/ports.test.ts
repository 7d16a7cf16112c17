import { expect, test } from "vitest";
import { ProblemError } from "../../../src/base/problem.ts";
import { askPorts, chosenPort, type Port, portsVerdict, triedText } from "../../../src/setupos/ports.ts";
import type { Host } from "../../../src/system/host.ts";
import type { PortAnswer } from "../../../src/system/network/try-port.ts";
import { nodeHost, nodeMachine, type PortOfTest } from "../../support/node-machines.ts";

const portsOf = async (...ports: readonly PortOfTest[]): Promise<readonly Port[]> => askPorts(nodeHost(nodeMachine({ ports })), undefined);

const GATEWAYS = { ipv6: "2602:ffe4:801:17::1", ipv4: "212.71.124.177" };

test("ports are in the order of the installer: with a link first, the fastest first; others come last", async () => {
  const ports = await portsOf(
    { name: "enxb03af2000001", speed: 100_000, modes: [] },
    { name: "eno1", speed: 1000, modes: ["1000baseT/Full"] },
    { name: "enp1s0f0", modes: ["10000baseT/Full", "25000baseCR/Full"] },
    { name: "enp1s0f1", speed: 10_000, modes: ["1000baseT/Full 10000baseT/Full"] },
    { name: "ens3", modes: ["Not reported"] },
  );
  expect(
    ports.map(({ port, isCandidate, hasLink, speed, highest, tried }) => [port.name, isCandidate, hasLink, speed, highest, tried]),
  ).toEqual([
    ["enp1s0f1", true, true, 10_000, 10_000, undefined],
    ["eno1", true, true, 1000, 1000, undefined],
    ["enp1s0f0", true, false, undefined, 25_000, undefined],
    ["ens3", true, false, undefined, undefined, undefined],
    ["enxb03af2000001", false, true, 100_000, undefined, undefined],
  ]);
});

async function triedPorts(...answers: readonly (PortAnswer | "failed" | "answered, IPv4 silent")[]): Promise<readonly Port[]> {
  const ports = await portsOf(...answers.map((_, at) => ({ name: `eno${at + 1}`, speed: 1000, modes: [] })));
  return ports.map((port, at) => {
    const answer = answers[at] ?? "failed";
    const tried =
      answer === "failed"
        ? { problem: { code: "tool-not-found", what: "ping: is not installed" } }
        : answer === "answered, IPv4 silent"
          ? { value: { answer: "answered" as const, ipv4: "silent" as const, speed: 1000 } }
          : { value: { answer, speed: 1000 } };
    return { ...port, tried };
  });
}

test.each([
  [["silent", "answered", "no link"], [], []],
  [["answered", "failed"], [], []],
  [["silent", "no link"], ["no-port-answered"], []],
  [["silent", "failed"], [], ["port-not-tried"]],
  [["failed", "failed"], [], ["port-not-tried", "port-not-tried"]],
  [["address in use", "silent"], ["address-in-use"], []],
  // It counts where no port is answered: there is none to take.
  [["address in use", "answered"], [], []],
  [["answered", "address in use"], [], []],
  [["address in use", "answered, IPv4 silent"], ["ipv4-gateway-silent"], []],
  [["answered, IPv4 silent"], ["ipv4-gateway-silent"], []],
  [["silent", "answered, IPv4 silent"], ["ipv4-gateway-silent"], []],
  // The installer takes the first port on which that of IPv6 answers, and no other.
  [["answered, IPv4 silent", "answered"], ["ipv4-gateway-silent"], []],
  [["answered", "answered, IPv4 silent"], [], []],
] as const)("%j: mistakes %j, not known %j", async (answers, mistakes, unknown) => {
  const verdict = portsVerdict(await triedPorts(...answers), GATEWAYS);
  expect([verdict.mistakes.map(({ code }) => code), verdict.unknown.map(({ code }) => code)]).toEqual([mistakes, unknown]);
});

test("where no port is answered, it is said what was tried on each", async () => {
  const { mistakes } = portsVerdict(await triedPorts("silent", "no link"), GATEWAYS);
  expect(mistakes[0]).toMatchObject({ found: "eno1: silent, eno2: no link", expected: "an answer of 2602:ffe4:801:17::1 on one port" });
});

test("no port, and none that is tried, are mistakes; none with a link is not known, as one that is down shows none", async () => {
  const codes = async (...ports: readonly PortOfTest[]): Promise<unknown> => {
    const { mistakes, unknown } = portsVerdict(await portsOf(...ports), { ipv6: undefined, ipv4: undefined });
    return [mistakes.map(({ code }) => code), unknown.map(({ code }) => code)];
  };
  expect(await codes()).toEqual([["port-missing"], []]);
  expect(await codes({ name: "eth0", speed: 1000, modes: [] })).toEqual([["port-missing"], []]);
  expect(await codes({ name: "eno1", modes: [] }, { name: "eth0", speed: 1000, modes: [] })).toEqual([[], ["port-link-not-known"]]);
  expect(await codes({ name: "eno1", speed: 1000, modes: [] })).toEqual([[], []]);
});

const QUESTION = { address: "2602:ffe4:801:17:680f:ff:feec:bd51", gateway: GATEWAYS.ipv6, ipv4: undefined };

/** A port that is down at first. What becomes of a try; "broken" is one that cannot be brought up. */
interface PortThatIsDown {
  readonly name: string;
  readonly speed: number;
  readonly answer: PortAnswer | "broken";
}

/** A machine with such ports, and the ip and ping that ran on it. It has no time to wait. */
function machineOf(...ports: readonly PortThatIsDown[]): { readonly host: Host; readonly ran: readonly string[] } {
  const base = nodeHost(nodeMachine({ ports: ports.map(({ name }) => ({ name, modes: [] })) }));
  const ran: string[] = [];
  const up = new Set<string>();
  let addressOf: number | undefined;
  const host: Host = {
    ...base,
    signal: AbortSignal.abort(),
    async readText(path) {
      const [, name = "", file = ""] = /^\/sys\/class\/net\/([^/]+)\/(flags|carrier|speed)$/.exec(path) ?? [];
      const port = ports.find((one) => one.name === name);
      const hasLink = port !== undefined && up.has(name) && port.answer !== "no link";
      if (file === "flags") return up.has(name) ? "0x1003\n" : "0x1002\n";
      if (file === "carrier") return hasLink ? "1\n" : "0\n";
      if (file === "speed") return `${hasLink ? port.speed : -1}\n`;
      if (path !== "/proc/net/if_inet6" || addressOf === undefined) return base.readText(path);
      const flags = ports[addressOf]?.answer === "address in use" ? "88" : "80";
      return `2602ffe408010017680f00fffeecbd51 0${addressOf + 2} 40 00 ${flags} eno\n`;
    },
    async run(command) {
      const { program, args } = command;
      if (program !== "ip" && program !== "ping") return base.run(command);
      const line = [program, ...args].join(" ");
      const at = ports.findIndex(({ name }) => args.includes(name));
      const { name = "", answer } = ports[at] ?? {};
      const answered = { status: program === "ping" && answer !== "answered" ? 1 : 0, stdout: "", stderr: "" };
      ran.push(program === "ping" ? `ping ${name}` : line.replace(/ dev /, " ").replace(/ valid_lft.*$/, ""));
      if (args.at(-1) === "up") {
        if (answer === "broken") throw new ProblemError({ code: "tool-failed", what: "ip failed" });
        up.add(name);
      }
      if (args.at(-1) === "down") up.delete(name);
      if (args.includes("add")) addressOf = at;
      if (args.includes("del")) addressOf = undefined;
      return answered;
    },
  };
  return { host, ran };
}

const pinged = (ran: readonly string[]): readonly string[] => [...new Set(ran.filter((line) => line.startsWith("ping")))];
const ANSWERS: readonly PortThatIsDown[] = [
  { name: "eno1", speed: 1000, answer: "answered" },
  { name: "eno2", speed: 1000, answer: "no link" },
  { name: "eno3", speed: 10_000, answer: "silent" },
  { name: "eno4", speed: 25_000, answer: "address in use" },
  { name: "eno5", speed: 10_000, answer: "answered" },
];

test("ports that are down are brought up first, then asked in the order of their speed, up to the first that answers", async () => {
  const { host, ran } = machineOf(...ANSWERS);
  const ports = await askPorts(host, QUESTION, true);
  expect(ports.map(({ port, hasLink, speed, tried }) => [port.name, hasLink, speed, triedText(tried)])).toEqual([
    ["eno4", true, 25_000, "address in use"],
    ["eno3", true, 10_000, "silent"],
    ["eno5", true, 10_000, "answered"],
    ["eno1", true, 1000, "not asked"],
    ["eno2", false, undefined, "not asked"],
  ]);
  expect(pinged(ran)).toEqual(["ping eno3", "ping eno5"]);
  const names = ANSWERS.map(({ name }) => name);
  expect(ran.slice(0, 5)).toEqual(names.map((name) => `ip link set ${name} up`));
  expect(ran.slice(-5)).toEqual(names.map((name) => `ip link set ${name} down`));
  expect(chosenPort(ports)?.port.name).toBe("eno5");
  expect(portsVerdict(ports, GATEWAYS)).toEqual({ mistakes: [], unknown: [] });
});

test("a rehearsal asks each port, in the same order", async () => {
  const { host, ran } = machineOf(...ANSWERS);
  const ports = await askPorts(host, QUESTION);
  expect(ports.map(({ port, tried }) => `${port.name}: ${triedText(tried)}`)).toEqual([
    "eno4: address in use",
    "eno3: silent",
    "eno5: answered",
    "eno1: answered",
    "eno2: no link",
  ]);
  expect(pinged(ran)).toEqual(["ping eno3", "ping eno5", "ping eno1"]);
});

test("a port that cannot be brought up does not stop the others; where no port answers, it is told", async () => {
  const broken = { name: "eno1", speed: 1000, answer: "broken" } as const;
  const one = machineOf(broken, { name: "eno2", speed: 1000, answer: "answered" });
  expect(chosenPort(await askPorts(one.host, QUESTION, true))?.port.name).toBe("eno2");
  const other = machineOf(broken, { name: "eno2", speed: 1000, answer: "silent" });
  const { mistakes, unknown } = portsVerdict(await askPorts(other.host, QUESTION, true), GATEWAYS);
  expect([mistakes, unknown.map(({ code }) => code)]).toEqual([[], ["port-not-tried"]]);
  expect(other.ran.filter((line) => line.endsWith("down"))).toEqual(["ip link set eno2 down"]);
});
