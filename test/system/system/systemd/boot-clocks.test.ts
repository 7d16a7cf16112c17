import { Variant } from "dbus-next";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootClocks, startUp, unitPath } from "../../../../src/system/systemd/boot-clocks.ts";
import { type Host, systemHost } from "../../../../src/system/host.ts";
import { type PrivateBus, type Reply, privateBus } from "../../../support/private-bus.ts";

let bus: PrivateBus;
let manager: Readonly<Record<string, unknown>> = {};
let service: Readonly<Record<string, unknown>> = {};
/** By name of a service: when its start began, and when it had started. */
let starts: Readonly<Record<string, readonly [bigint, bigint]>> = {};

/** As systemd answers GetAll: 64-bit numbers, and others that no one asked for. */
function answer(values: Readonly<Record<string, unknown>>): Reply {
  const variants = Object.entries(values).map(([key, value]) => [key, new Variant(typeof value === "bigint" ? "t" : "s", value)]);
  return { signature: "a{sv}", body: [Object.fromEntries(variants)] };
}

beforeAll(async () => {
  bus = await privateBus();
  await bus.serve("org.freedesktop.systemd1", (member, [name, key], { path }) => {
    if (member === "ListUnitsByPatterns") {
      const rows = Object.keys(starts).map((unit) => [unit, "", "loaded", "active", "running", "", "/unit", 0, "", "/"]);
      return { signature: "a(ssssssouso)", body: [rows] };
    }
    if (member === "Get") {
      const [began, started] = Object.entries(starts).find(([unit]) => unitPath(unit) === path)?.[1] ?? [0n, 0n];
      return { signature: "v", body: [new Variant("t", key === "ActiveEnterTimestampMonotonic" ? started : began)] };
    }
    return answer(String(name).endsWith(".Manager") ? manager : service);
  });
});

afterAll(async () => bus.stop());

const host = systemHost({ signal: new AbortController().signal });

test("systemd's clocks come as seconds, and what has not happened is absent", async () => {
  manager = {
    FirmwareTimestampMonotonic: 0n,
    LoaderTimestampMonotonic: 1_500_000n,
    InitRDTimestampMonotonic: 0n,
    UserspaceTimestampMonotonic: 21_319_101n,
    FinishTimestampMonotonic: 0n,
    Version: "257",
  };
  service = { ExecMainStartTimestampMonotonic: 44_357_476n, ExecMainExitTimestampMonotonic: 186_375_292n };
  expect(await bootClocks(host, ["guestos-boot.service"])).toEqual({
    loader: 1.5,
    userspace: 21.319101,
    services: { "guestos-boot.service": { started: 44.357476, ended: 186.375292 } },
  });
});

test("while a service runs again, its end is not that of the time before; one that never ran is absent", async () => {
  service = { ExecMainStartTimestampMonotonic: 200_000_000n, ExecMainExitTimestampMonotonic: 186_375_292n };
  expect((await bootClocks(host, ["a.service"]))?.services).toEqual({ "a.service": { started: 200 } });
  service = { ExecMainStartTimestampMonotonic: 0n, ExecMainExitTimestampMonotonic: 2n ** 64n - 1n };
  expect((await bootClocks(host, ["a.service"]))?.services).toEqual({});
});

/** The bus of the test counts as running. */
const onBus: Host = {
  ...host,
  readLink: async (path) => (path.endsWith("/invocation:dbus.service") ? "an-invocation" : host.readLink(path)),
};

test("until systemd has finished, only the kernel's part of a start is known", async () => {
  manager = { UserspaceTimestampMonotonic: 3_000_000n, FinishTimestampMonotonic: 0n };
  starts = { "a.service": [1n, 2n] };
  expect(await startUp(onBus)).toEqual({ kernel: 3, services: new Map() });
  expect(await startUp(host)).toBeUndefined();
});

test("afterwards the ten services that took longest are known, and whether the machine is a confidential one", async () => {
  manager = {
    InitRDTimestampMonotonic: 2_000_000n,
    UserspaceTimestampMonotonic: 3_000_000n,
    FinishTimestampMonotonic: 10_000_000n,
    ConfidentialVirtualization: "sev-snp",
  };
  starts = {
    ...Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`s-${index}.service`, [1_000_000n, BigInt(index + 2) * 1_000_000n]])),
    "never-down.service": [0n, 5_000_000n],
  };
  const seen = await startUp(onBus);
  expect(seen).toMatchObject({ kernel: 2, userspace: 7, total: 10, confidential: true });
  expect([...(seen?.services ?? [])]).toEqual(Array.from({ length: 10 }, (_, index) => [`s-${10 - index}.service`, 11 - index]));
  manager = { ...manager, ConfidentialVirtualization: "" };
  expect((await startUp(onBus))?.confidential).toBe(false);
});
