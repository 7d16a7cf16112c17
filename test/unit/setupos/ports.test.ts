import { expect, test } from "vitest";
import { askPorts, type Port, portsVerdict } from "../../../src/setupos/ports.ts";
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
  [["address in use", "answered"], ["address-in-use"], []],
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
