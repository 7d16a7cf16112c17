import { unlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

/** A run that goes on until the file named hold is removed. */
async function holder(fixture: Fixture): Promise<ReturnType<Fixture["start"]>> {
  fixture.touch("hold");
  const started = fixture.start(["--unit", "patient"]);
  await fixture.appears("holding");
  return started;
}

test("a second run ends with 6 and says who runs", async () => {
  const fixture = new Fixture();
  const first = await holder(fixture);
  const { status, stdout, stderr } = await fixture.run("--unit", "first");
  expect(status).toBe(6);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^guestos-boot: another guestos-boot is running$/m);
  expect(stderr.replaceAll(/\s+/g, " ")).toMatch(
    new RegExp(`found process ${first.process.pid}, "guestos-boot --unit patient", since \\d{4}-`),
  );
  unlinkSync(fixture.path("hold"));
  fixture.touch("held");
  await first.ended;
});

test("--wait waits for the first run to end, and then runs", async () => {
  const fixture = new Fixture();
  const first = await holder(fixture);
  const second = fixture.start(["--wait", "30", "--unit", "first"]);
  // It says so before it waits.
  await new Promise((resolve) => second.process.stderr?.once("data", resolve));
  fixture.touch("held");
  unlinkSync(fixture.path("hold"));
  expect((await first.ended).status).toBe(0);
  const { status, stderr } = await second.ended;
  expect(status).toBe(0);
  expect(stderr).toMatch(
    new RegExp(`^waiting at most 30 s for another guestos-boot: process ${first.process.pid}, "guestos-boot --unit patient", since `),
  );
});

test("--wait gives up when its time is over", async () => {
  const fixture = new Fixture();
  const first = await holder(fixture);
  const { status, stderr } = await fixture.run("--wait", "1", "--unit", "first");
  expect(status).toBe(6);
  expect(stderr).toContain("another guestos-boot is still running after 1 s");
  fixture.touch("held");
  unlinkSync(fixture.path("hold"));
  await first.ended;
});

test("a run that waits for the lock ends at once when told to", async () => {
  const fixture = new Fixture();
  const first = await holder(fixture);
  const second = fixture.start(["--wait", "60", "--unit", "first"]);
  await new Promise((resolve) => second.process.stderr?.once("data", resolve));
  second.process.kill("SIGTERM");
  expect(await second.ended).toMatchObject({ status: 143 });
  fixture.touch("held");
  unlinkSync(fixture.path("hold"));
  await first.ended;
});

test("the lock dies with a holder that is killed, even when a tool of its own lives on", async () => {
  const fixture = new Fixture();
  fixture.touch("sleep");
  const first = fixture.start(["--unit", "slow"]);
  await fixture.appears("sleeping");
  first.process.kill("SIGKILL");
  await new Promise((resolve) => first.process.once("exit", resolve));
  expect((await fixture.run("--unit", "first")).status).toBe(0);
});

test("inspection needs no lock", async () => {
  const fixture = new Fixture();
  const first = await holder(fixture);
  expect((await fixture.run("plan", "--unit", "strict")).status).toBe(0);
  expect((await fixture.run("list")).status).toBe(0);
  const status = await fixture.run("status");
  expect(status.status).toBe(13);
  expect(status.stdout).toMatch(new RegExp(`: is running \\(process ${first.process.pid}\\)`));
  expect(status.stdout).toMatch(/^patient {14}running$/m);
  fixture.touch("held");
  unlinkSync(fixture.path("hold"));
  await first.ended;
});
