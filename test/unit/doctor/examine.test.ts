import { expect, test } from "vitest";
import { profiles } from "../../../src/profiles/profiles.ts";
import { type Check, notice, wrong } from "../../../src/doctor/check.ts";
import { examine, isSound } from "../../../src/doctor/examine.ts";
import { ownMountPoints } from "../../../src/doctor/own-mount-points.ts";
import { boundary } from "../../support/chains.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { testNode } from "../../support/test-node.ts";

const patient = testNode(fakeHost());
const going = new AbortController().signal;

function check(name: string, inspect: Check["inspect"], within = 60_000): Check {
  return { name, title: `${name} is well`, seen: `cat ${name}`, within, inspect };
}

test("each check has its outcome: the worst of what it found, and a fact only where nothing is wrong", async () => {
  const examined = await examine(
    [
      check("fine", async () => ({ fact: "all there", findings: [] })),
      check("odd", async () => ({ fact: "nearly", findings: notice("ls", { code: "test-problem", what: "odd" }) })),
      check("ill", async () => ({
        fact: "not",
        findings: [...notice("ls", { code: "test-problem", what: "odd" }), ...wrong("ls", { code: "test-problem", what: "ill" })],
      })),
    ],
    patient,
    going,
  );
  expect(examined.map(({ name, outcome, fact }) => [name, outcome, fact])).toEqual([
    ["fine", "fine", "all there"],
    ["odd", "notice", "nearly"],
    ["ill", "wrong", undefined],
  ]);
  expect(isSound(examined)).toBe(false);
  expect(isSound(examined.slice(0, 2))).toBe(true);
});

test("a check that throws could not inspect, and takes nothing from the others", async () => {
  const examined = await examine(
    [check("broken", async () => Promise.reject(new Error("no"))), check("fine", async () => ({ fact: "all there", findings: [] }))],
    patient,
    going,
  );
  expect(examined.map(({ outcome }) => outcome)).toEqual(["unknown", "fine"]);
  expect(examined[0]?.findings[0]).toMatchObject({ level: "unknown", seen: "cat broken" });
  expect(isSound(examined)).toBe(false);
});

test("a check that does not end is left behind at its bound, and its tools are told to stop", async () => {
  let signal: AbortSignal | undefined;
  const hanging = check(
    "hanging",
    async (_, host) => {
      signal = host.signal;
      return new Promise(() => undefined);
    },
    20,
  );
  const [examined] = await examine([hanging], patient, going);
  expect(examined).toMatchObject({
    outcome: "unknown",
    findings: [{ problem: { what: 'the check "hanging" did not end within 0.02 s' } }],
  });
  expect(signal?.aborted).toBe(true);
});

test("told to stop, nothing is waited for", async () => {
  const stop = new AbortController();
  const hanging = check("hanging", async () => {
    stop.abort();
    return new Promise(() => undefined);
  });
  const never = check("never", async () => Promise.reject(new Error("it was made")));
  const examined = await examine([hanging, never], patient, stop.signal);
  expect(examined.map(({ name, outcome }) => [name, outcome])).toEqual([["hanging", "unknown"]]);
});

test("a node is not asked for what its chain has not: a boundary node has no store, no volumes and no /var", async () => {
  const node = { ...patient, chain: boundary, layout: profiles.boundary.layout };
  const asked = { ...check("volumes", async () => ({ fact: "there", findings: [] })), about: ["volumes"] };
  expect(await examine([asked], node, going)).toEqual([]);
  expect((await examine([asked], patient, going)).map(({ name }) => name)).toEqual(["volumes"]);
  expect(ownMountPoints(node)).toEqual(["boot", "efi", "grub", "config"]);
  expect(ownMountPoints(patient)).toEqual(expect.arrayContaining(["config", "var", "data", "crypto", "backup"]));
});
