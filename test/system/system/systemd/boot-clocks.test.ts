import { Variant } from "dbus-next";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootClocks } from "../../../../src/system/systemd/boot-clocks.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { type PrivateBus, type Reply, privateBus } from "../../../support/private-bus.ts";

let bus: PrivateBus;
let manager: Readonly<Record<string, unknown>> = {};
let service: Readonly<Record<string, unknown>> = {};

/** As systemd answers GetAll: 64-bit numbers, and others that no one asked for. */
function answer(values: Readonly<Record<string, unknown>>): Reply {
  const variants = Object.entries(values).map(([key, value]) => [key, new Variant(typeof value === "bigint" ? "t" : "s", value)]);
  return { signature: "a{sv}", body: [Object.fromEntries(variants)] };
}

beforeAll(async () => {
  bus = await privateBus();
  await bus.serve("org.freedesktop.systemd1", (_, [name]) => answer(String(name).endsWith(".Manager") ? manager : service));
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
