import { expect, test } from "vitest";
import { stagesOf } from "../../../src/run/stages.ts";
import { boundary } from "../../support/chains.ts";
import { guestos } from "../../support/chains.ts";

test("what it has in common with a GuestOS are the same units, but for what stores the medium's data", () => {
  const common = boundary.filter(({ name }) => guestos.some((unit) => unit.name === name));
  expect(common.filter((unit) => !guestos.includes(unit)).map(({ name }) => name)).toEqual(["injected-data"]);
  expect(common.map(({ name }) => name)).toEqual([
    ...["mount-boot", "machine-id", "ssh-host-keys", "node-exporter-keys", "config-injection", "injected-data"],
    ...["ssh-account-keys", "network-card", "network", "hostname", "system-bus", "network-applied", "ipv6-monitor", "node-exporter"],
  ]);
});

test("nothing of it waits for encryption or volumes, and what starts services is late", () => {
  expect(boundary.flatMap(({ requires }) => requires).filter((unit) => !boundary.includes(unit))).toEqual([]);
  const stageOf = stagesOf(boundary);
  for (const name of ["nginx", "danted", "icx-proxy", "boundary-node-control-plane", "ic-router-control-plane-watcher"])
    expect(
      boundary.filter((unit) => unit.name === name).map((unit) => [stageOf(unit), unit.onFailure]),
      name,
    ).toEqual([["late", "degrade"]]);
});
