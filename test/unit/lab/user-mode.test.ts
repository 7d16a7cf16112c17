import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { FIRST_PROGRAM, withCredentials } from "../../../lab/user-mode/initrd.ts";

test("the addition to an initramfs begins at a multiple of four bytes behind it, and holds each credential", () => {
  const original = Buffer.from("compressed");
  const whole = Buffer.from(withCredentials(original, { "lab.port": "/dev/ttyS1" }));
  expect(whole.subarray(0, 16).toString("latin1")).toBe("compressed\0\x00070701".slice(0, 16));
  expect(whole.indexOf("070701")).toBe(12);
  expect(whole.length % 4).toBe(0);
  const text = whole.toString("latin1");
  expect(text).toContain("lab/lab.port\0");
  expect(text).toContain("/dev/ttyS1");
  expect(text).toContain(`${FIRST_PROGRAM.replace("rdinit=/", "")}\0`);
});

test.each(["build-kernel.bash", "namespace.bash"])("%s is a script that bash can read", (name) => {
  const { status, stderr } = spawnSync("bash", ["-n", `lab/user-mode/${name}`], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});
