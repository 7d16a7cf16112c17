import { expect, test } from "vitest";
import { couldNotInspect, notice, wrong } from "../../../src/doctor/check.ts";
import { doctorDocument, doctorLines } from "../../../src/doctor/doctor-text.ts";
import type { Examined } from "../../../src/doctor/examine.ts";
import { ProblemError } from "../../../src/base/problem.ts";

const mounts: Examined = { name: "mounts", title: "all is mounted", outcome: "fine", fact: "12 mounts", findings: [] };
const upgrades: Examined = {
  ...{ name: "upgrades", title: "the system is to stay", outcome: "notice", fact: "slot B runs" },
  findings: notice("guestos-boot upgrade status", {
    code: "test-problem",
    what: "the running system is on trial",
    todo: "guestos-boot upgrade confirm",
  }),
};
const monitor: Examined = {
  ...{ name: "monitor", title: "the monitor runs", outcome: "unknown" },
  findings: couldNotInspect(
    "systemctl status guestos-monitor.service",
    new ProblemError({ code: "test-problem", what: "cannot reach the system bus" }),
  ),
};
const keys: Examined = {
  ...{ name: "keys", title: "keys are closed", outcome: "wrong" },
  findings: wrong("stat /boot/config/store.keyfile", {
    code: "test-problem",
    what: "/boot/config/store.keyfile is not closed to others, who may have read it, and that is a long sentence",
    where: { file: "/boot/config/store.keyfile" },
    found: "mode 0444, owner 0",
    expected: "mode 0400, owner 0",
    todo: "chmod 0400 /boot/config/store.keyfile",
  }),
};

test("what is wrong comes first, then what could not be seen, then what is to know; what is well is a line each", () => {
  expect(doctorLines([mounts, upgrades, monitor, keys]).join("\n")).toBe(`1 thing is wrong, 1 could not be inspected, 1 notice

wrong: /boot/config/store.keyfile is not closed to others, who may have read it,
  and that is a long sentence
  at       /boot/config/store.keyfile
  found    mode 0444, owner 0
  expected mode 0400, owner 0
  seen by  stat /boot/config/store.keyfile
  repair   chmod 0400 /boot/config/store.keyfile

could not inspect: cannot reach the system bus
  seen by  systemctl status guestos-monitor.service

to know: the running system is on trial
  seen by  guestos-boot upgrade status
  repair   guestos-boot upgrade confirm

mounts       12 mounts
upgrades     slot B runs`);
});

test("the first line is the verdict", () => {
  const verdict = (...examined: readonly Examined[]): string | undefined => doctorLines(examined)[0];
  expect(verdict(mounts)).toBe("sound: nothing is wrong");
  expect(verdict(mounts, upgrades)).toBe("sound: 1 notice");
  expect(verdict(monitor)).toBe("1 could not be inspected");
  expect(verdict(keys, keys)).toBe("2 things are wrong");
});

test("only the label has a colour", () => {
  const [, , line] = doctorLines([keys], (outcome, text) => `<${outcome}>${text}</>`);
  expect(line).toMatch(/^<failed>wrong<\/>: \/boot/);
});

test("for programs there is the same, worst first, and what each check came to", () => {
  expect(doctorDocument([upgrades, keys])).toEqual({
    sound: false,
    findings: [
      { check: "keys", ...keys.findings[0] },
      { check: "upgrades", ...upgrades.findings[0] },
    ],
    checks: [
      { name: "upgrades", title: "the system is to stay", outcome: "notice", fact: "slot B runs" },
      { name: "keys", title: "keys are closed", outcome: "wrong", fact: undefined },
    ],
  });
  expect(doctorDocument([mounts])).toMatchObject({ sound: true, findings: [] });
});
