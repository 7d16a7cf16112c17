import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { linkedUnits } from "../../../src/run/linked-units.ts";
import { ExtraUnit } from "../../../src/config/boot-config.ts";
import { parseYaml } from "../../../src/config/text/yaml-file.ts";
import { guestos } from "../../support/chains.ts";
import { writeOwn } from "../../support/extra-units.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { argumentsOf, greet, planGreeting, whyGreeting } from "../../support/documented/elsewhere.ts";

const text = readFileSync("docs/extra-units.md", "utf8");
const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(text) ?? [];
const [, script = ""] = /```bash\n(.*?)```/s.exec(text) ?? [];

/** The example as a reader would copy it, on a machine that is a folder. */
function withExample(): Fixture {
  const fixture = new Fixture();
  mkdirSync(fixture.path("run"), { recursive: true });
  writeFileSync(fixture.path("version.txt"), "7.8.9\n");
  writeOwn(fixture, "units.d/greeting/unit.yaml", yaml.replace("hostname", "first"));
  const moved = script.replace("/run/motd.d", fixture.path("motd.d")).replace("/opt/ic/share/version.txt", fixture.path("version.txt"));
  writeOwn(fixture, "units.d/greeting/greeting", moved, 0o755);
  return fixture;
}

test("the documented unit is planned, writes the file, and finds it from then on", async () => {
  const fixture = withExample();
  const run = (command: string): ReturnType<Fixture["run"]> => fixture.run(...argumentsOf(command).split(" "));
  expect((await fixture.run("verify")).status).toBe(0);
  const file = fixture.path("motd.d/10-version");
  expect((await run(planGreeting)).stdout).toContain("activate write");
  const first = await run(greet);
  expect(first, first.stdout).toMatchObject({ status: 0 });
  expect(readFileSync(file, "utf8")).toBe("GuestOS 7.8.9\n");
  expect((await run(planGreeting)).status).toBe(0);
  writeFileSync(fixture.path("version.txt"), "8.0.0\n");
  expect((await run(greet)).stdout).toMatch(/^greeting {13}unchanged .* 1 activated$/m);
  expect(readFileSync(file, "utf8")).toBe("GuestOS 8.0.0\n");
  expect((await run(whyGreeting)).stdout).toContain("greeting: Greet with the version of the system");
  rmSync(file);
  mkdirSync(file);
  const { status, stdout } = await run(greet);
  expect(status).toBe(10);
  expect(stdout).toContain("the greeting cannot be written");
});

test("it fits into the chain of a GuestOS", async () => {
  const { value, keyAt, file } = await parseYaml(Buffer.from(yaml), "unit.yaml", ExtraUnit);
  const declared = { ...value, name: "greeting", executable: "/x", at: (key: keyof ExtraUnit) => ({ file, ...keyAt([key]) }) };
  expect(linkedUnits([declared], { chain: guestos, off: [], taken: [] })).toMatchObject({
    units: [{ requires: [{ name: "system-bus" }] }],
    problems: [],
  });
});
