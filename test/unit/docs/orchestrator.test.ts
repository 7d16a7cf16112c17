import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readIcSettings } from "../../../src/config/ic-config.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { managebootVerbs } from "../../../src/cli/manageboot.ts";
import { provisionedAccounts } from "../../../src/units/identity/ssh-account-keys.ts";
import { fakeHost } from "../../support/fake-host.ts";

const text = readFileSync("docs/orchestrator.md", "utf8");

/** The rows of the first table of that section, by their cells. */
function rows(section: string): readonly (readonly string[])[] {
  const [, rest = ""] = text.split(`\n## ${section}\n`);
  const [table = ""] = /(?:^\|.*\n)+/m.exec(rest) ?? [];
  return table
    .trim()
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const quotedIn = (cell: string | undefined): readonly string[] => [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

test("each row of today's interface says what it is here, and names the test that shows it", () => {
  const table = rows("Today's interface");
  expect(table.length).toBeGreaterThan(15);
  for (const [part, here, how, shown] of table) {
    expect(["have", "differs", "absent on purpose"], part).toContain(here);
    expect(how, part).not.toBe("");
    expect(existsSync(shown ?? ""), `${part}: ${shown}`).toBe(true);
  }
});

test("the values of the template are all there are", async () => {
  const { values } = await readIcSettings(fakeHost(), guestosLayout);
  expect(
    rows("The configuration")
      .flatMap(([names]) => quotedIn(names))
      .toSorted(),
  ).toEqual([...values.keys(), "ipv6_prefix"].toSorted());
});

test("every verb and every account that the orchestrator may name is there", () => {
  const named = rows("The names that are called")
    .flatMap(([called, does]) => [...quotedIn(called), ...quotedIn(does)])
    .join(" ");
  for (const verb of Object.keys(managebootVerbs)) expect(named).toContain(verb);
  for (const account of provisionedAccounts) expect(named).toContain(account);
});
