import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

const GARBAGE = "\0\u{fffd}guest os\n";

test("what was recorded can be read, and the two systems inspected, of an image that does not say which system it is", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const commands = [["status"], ["why", "first"], ["analyze"], ["upgrade"], ["upgrade", "rollback"]];
  const before = await Promise.all(commands.map(async (args) => fixture.run(...args)));
  writeFileSync(fixture.path("profile"), GARBAGE);
  for (const [index, args] of commands.entries()) {
    const { status, stderr } = await fixture.run(...args);
    expect({ status, stderr }, args.join(" ")).toEqual({ status: before[index]?.status, stderr: before[index]?.stderr });
    expect(status, args.join(" ")).not.toBe(18);
  }
});

test("what needs the profile is refused with the file and its place, and nothing is made", async () => {
  const fixture = new Fixture();
  writeFileSync(fixture.path("profile"), GARBAGE);
  for (const args of [[], ["--unit", "first"], ["plan"], ["list"]]) {
    const { status, stderr } = await fixture.run(...args);
    expect(status, args.join(" ")).toBe(18);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("the image does not say which profile it has at /etc/guestos-boot/profile:1:1");
  }
  expect(readdirSync(fixture.root).filter((name) => name.startsWith("made-"))).toEqual([]);
});

test("its boot fails and says why, in status and doctor too, and provisions nothing", async () => {
  const fixture = new Fixture();
  writeFileSync(fixture.path("profile"), GARBAGE);
  expect((await fixture.run("run", "--stage", "early")).status).toBe(3);
  const late = await fixture.run("run", "--stage", "late");
  expect(late.status, late.stderr).toBe(0);
  const { status, stdout } = await fixture.run("status");
  expect(status).toBe(3);
  expect(stdout).toMatch(/^failed: .*profile/);
  expect(stdout).toContain("/etc/guestos-boot/profile:1:1");
  const doctor = await fixture.run("doctor");
  expect(doctor.status).toBe(17);
  expect(doctor.stdout).toContain("the image does not say which profile it has");
  // With the file as it should be, it is a GuestOS as before.
  rmSync(fixture.path("profile"));
  expect((await fixture.run()).status).toBe(0);
});
