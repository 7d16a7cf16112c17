import { describe, expect, test } from "vitest";
import * as z from "../../../src/base/schema.ts";
import { guestosBoot } from "../support/chain.ts";
import { BOOT_TIMEOUT } from "../support/node.ts";
import { node } from "./story.ts";
import { argumentsOf, doctor, doctorJson } from "../../support/documented/elsewhere.ts";

const Doctor = z.object({
  sound: z.boolean(),
  findings: z.array(z.object({ check: z.string(), level: z.string(), problem: z.object({ what: z.string(), todo: z.string() }) })),
  checks: z.array(z.object({ name: z.string(), outcome: z.string(), fact: z.optional(z.string()) })),
});

describe("doctor", () => {
  test("doctor finds the node sound", ({ annotate }) =>
    node.use(async (vm) => {
      const { status, stdout, stderr } = await guestosBoot(vm, argumentsOf(doctorJson));
      expect([status, stderr], stdout).toEqual([0, ""]);
      const { sound, findings, checks } = Doctor.parse(JSON.parse(stdout));
      await annotate(checks.map(({ name, fact }) => `${name}: ${fact}`).join("\n"));
      // Right after a boot the monitor may not have inspected anything yet.
      expect(findings.filter(({ check }) => check !== "monitor")).toEqual([]);
      expect(sound).toBe(true);
      expect(checks.filter(({ name, outcome }) => outcome !== "fine" && name !== "monitor")).toEqual([]);
    }));

  test("doctor names what is wrong, and what it says repairs it", () =>
    node.use(async (vm) => {
      const key = "/boot/config/node_exporter/node_exporter.key";
      const breaking = [
        `chmod 0644 ${key}`,
        "mount -o remount,exec /var/lib/ic/data",
        "chmod 0644 /run/ic-node/etc/node_exporter/node_exporter.key",
        "systemctl stop guestos-monitor.service",
      ];
      await vm.shell.ok(breaking.join(" && "));
      const { status, stdout } = await guestosBoot(vm, argumentsOf(doctorJson));
      expect(status, stdout).toBe(17);
      const { sound, findings } = Doctor.parse(JSON.parse(stdout));
      expect(sound).toBe(false);
      expect(findings.map(({ level, problem: { what, todo } }) => [level, what, todo])).toEqual([
        ["wrong", "node-exporter-keys is not in the state that the boot makes", "guestos-boot --unit node-exporter-keys"],
        ["wrong", "/var/lib/ic/data is not mounted as it should be", "mount -o remount,nodev,nosuid,noexec /var/lib/ic/data"],
        ["wrong", `${key} is not closed to others`, `chmod 0600 ${key}`],
        [
          "wrong",
          "the monitor does not run: nothing is repaired automatically",
          expect.stringMatching(/^systemctl start guestos-monitor.service;/),
        ],
      ]);
      const text = await guestosBoot(vm, argumentsOf(doctor));
      expect(text.stdout).toMatch(/^4 things are wrong\n/);
      for (const { problem } of findings) await vm.shell.ok(problem.todo.split(";")[0] ?? "", { timeout: BOOT_TIMEOUT });
      const repaired = await guestosBoot(vm, argumentsOf(doctor));
      expect(repaired.status, repaired.stdout).toBe(0);
      expect(repaired.stdout).toMatch(/^sound: /);
    }));
});
