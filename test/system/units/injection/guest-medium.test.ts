import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { guestMedium } from "../../../../src/units/injection/guest-medium.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { runUnit } from "../../../support/run-unit.ts";

const ALICE = makeHostKey("ed25519", { comment: "alice" }).publicLine;
const KEYS = "/boot/config/ssh_authorized_keys";

function prepare(files: Readonly<Record<string, string>>, useKeys: boolean): NamespaceMachine {
  return namespaceMachine(
    {
      "/boot/config/config.json": JSON.stringify({
        config_version: "1.17.0",
        network_settings: {
          ipv6_config: { Deterministic: { prefix: "2602:ffe4:801:17", prefix_length: 64, gateway: "2602:ffe4:801:17::1" } },
        },
        icos_settings: {
          mgmt_mac: "b0:7b:25:c8:f6:c0",
          deployment_environment: "mainnet",
          nns_urls: ["http://[2001:db8::1]:8080"],
          use_ssh_authorized_keys: useKeys,
        },
      }),
      [`${KEYS}/admin`]: ALICE,
      ...files,
    },
    profiles.hostos.layout,
  );
}

/** What the medium has, by its names. */
function contentsOf({ at }: NamespaceMachine): Readonly<Record<string, string>> {
  const tar = execFileSync("mtype", ["-i", at("/run/guestos-boot/guest-config.img"), "::ic-bootstrap.tar"]);
  const list = execFileSync("tar", ["--list"], { input: tar, encoding: "utf8" }).split("\n");
  const files = list.filter((name) => name !== "" && !name.endsWith("/"));
  return Object.fromEntries(
    files.map((name) => [name, execFileSync("tar", ["--extract", "--to-stdout", name], { input: tar, encoding: "utf8" })]),
  );
}

test.each([
  ["asked for, in an image for development", { "/etc/allow_console_root": "" }, true, { "accounts_ssh_authorized_keys/admin": ALICE }],
  ["asked for, in an image of the network", {}, true, {}],
  ["not asked for", { "/etc/allow_console_root": "" }, false, {}],
])("keys of the host's accounts are on the medium where they are %s", async (_name, files, useKeys, keys) => {
  const machine = prepare(files, useKeys);
  await runUnit(guestMedium, machine);
  const { "config.json": settings = "", ...others } = contentsOf(machine);
  expect(JSON.parse(settings)).toMatchObject({ network_settings: { ipv6_config: { Fixed: expect.anything() } } });
  expect(others).toEqual(keys);
  expect(await runUnit(guestMedium, machine)).toEqual([]);
});

test("the medium follows the host's keys; a line that is no key costs itself alone", async () => {
  const machine = prepare({ "/etc/allow_console_root": "" }, true);
  await runUnit(guestMedium, machine);
  writeFileSync(machine.at(`${KEYS}/backup`), `no key\n${ALICE}`);
  await runUnit(guestMedium, machine);
  expect(contentsOf(machine)).toMatchObject({ "accounts_ssh_authorized_keys/backup": ALICE });
  const image = readFileSync(machine.at("/run/guestos-boot/guest-config.img"));
  rmSync(machine.at(`${KEYS}/backup`));
  rmSync(machine.at(`${KEYS}/admin`));
  await runUnit(guestMedium, machine);
  expect(Object.keys(contentsOf(machine))).toEqual(["config.json"]);
  expect(readFileSync(machine.at("/run/guestos-boot/guest-config.img")).equals(image)).toBe(false);
});
