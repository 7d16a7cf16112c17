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

/** A word of the row that its test must have in it: a test that no longer has anything to do with the row is noticed. */
const WORDS: Readonly<Record<string, RegExp>> = {
  "a value cannot end its string in ic.json5": /between double quotes/,
  "`manageboot.sh hostos`": /this is a GuestOS/,
  "`-f FILE` for verbs that write": /manageboot -f is for next alone/,
  "`upgrade-install` of two files": /"\/boot\.img", "\/root\.img"/,
  "`confirm` of a system that is not healthy": /confirm ends with 15/,
  "the keys of `admin` by the orchestrator": /"admin"/,
  "`nft`, `read-ssh-keys.sh`, `sync_fstrim.sh` as root": /"\/usr\/sbin\/nft"/,
  "one word on the serial line, once": /wordsIn\(vm\)\)\.toEqual\(\["SUCCESS"\]\)/,
  "the host reads and advances grubenv": /hostBoot\(/,
  "the ruleset in `/run/ic-node/nftables-ruleset`": /"ruleset"/,
};

test.each(Object.entries(WORDS))("the test of %s is about it", (part, word) => {
  const row = rows("Today's interface").find(([name]) => name === part);
  expect(row, part).toBeDefined();
  expect(readFileSync(row?.[3] ?? "", "utf8")).toMatch(word);
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
