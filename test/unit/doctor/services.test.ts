import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { SERVICES } from "../../../src/doctor/services.ts";

/** systemd.unit(5): a file of a unit, or a folder NAME.d with more of its settings. A template (NAME@) is none before it is started, nor afterwards. */
const installed = globSync("etc/*/systemd/system/!(*@).{service,target,timer,path,socket,mount}{,.d}").map((path) => basename(path, ".d"));
/** systemd.preset(5). */
const enabled = globSync("etc/*/systemd/system-preset/*").flatMap((path) =>
  [...readFileSync(path, "utf8").matchAll(/^enable (\S+)$/gm)].map(([, name = ""]) => name),
);

test("the doctor inspects every unit that the package installs, adds something to, or enables: add what is missing to SERVICES", () => {
  expect(installed).toEqual(expect.arrayContaining(["guestos-boot.service", "ssh.service", "nginx.service"]));
  expect([...new Set([...installed, ...enabled])].filter((name) => !SERVICES.includes(name))).toEqual([]);
});

test("it inspects no other, but for what the chain starts by name", () => {
  const others = SERVICES.filter((name) => !installed.includes(name) && !enabled.includes(name));
  // The first one is wanted by guestos-network.target, the other two are Debian's own, and started by the unit journal-gateway.
  expect(others).toEqual(["systemd-networkd.service", "systemd-journal-gatewayd.socket", "systemd-journal-gatewayd.service"]);
});
