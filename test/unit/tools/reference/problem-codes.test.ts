import { expect, test } from "vitest";
import { codesReference, codeSites, sitesIn } from "../../../../tools/reference/problem-codes.ts";

const sites = codeSites();

/** What follows a semicolon tells what became of it, which is another thing in another place. */
function saidBy(wordings: readonly string[]): ReadonlySet<string> {
  return new Set(wordings.map((wording) => wording.replace(/; .*$/s, "")));
}

test("a code is two to four words of lower-case letters and digits; a defect is one", () => {
  const strange = sites.filter(({ code }) => code !== "defect" && !/^[a-z0-9]+(?:-[a-z0-9]+){1,3}$/.test(code));
  expect(strange).toEqual([]);
});

test("a code that is found in several places says the same in all of them", () => {
  const differing = [...Map.groupBy(sites, ({ code }) => code)].filter(([, same]) => {
    const [first, ...others] = same.map(({ wordings }) => saidBy(wordings));
    return others.some((other) => first !== undefined && first.intersection(other).size === 0);
  });
  expect(differing).toEqual([]);
});

test("what is said has one code", () => {
  const said = sites.flatMap(({ code, wordings }) => [...saidBy(wordings)].map((wording) => ({ code, wording })));
  const shared = [...Map.groupBy(said, ({ wording }) => wording)]
    .map(([wording, same]) => ({ wording, codes: [...new Set(same.map(({ code }) => code))] }))
    .filter(({ codes }) => codes.length > 1);
  expect(shared).toEqual([]);
});

test("every code in the source is one of a problem, with what it says right behind it", () => {
  const silent = sites.filter(({ wordings }) => wordings.length === 0).map(({ code }) => code);
  // Their words are those of a unit that warns, of an extra unit, and of the parser of the command line.
  expect(silent.toSorted()).toEqual(["extra-unit-conflict", "unit-note", "usage-wrong"]);
});

test("the words are those that the source says, with … for what it puts in", () => {
  expect(
    sitesIn(`[
      { code: "mount-failed", what: \`cannot mount \${devices.map(({ name }) => \`\${name}, "x"\`).join(", ")} at \${path}\`, found },
      { code: "not-newer", what: order === "same" ? "it is the same" : "it is older" },
    ]`),
  ).toEqual([
    { code: "mount-failed", wordings: ["cannot mount … at …"] },
    { code: "not-newer", wordings: ["it is the same", "it is older"] },
  ]);
});

test("the table has a row for each code, in order", () => {
  const codes = codesReference()
    .split("\n")
    .slice(2)
    .map((row) => /^\| `([a-z0-9-]+)` \| [^|]+ \| [a-z, ]+ \|$/.exec(row)?.[1]);
  expect(codes).toEqual([...new Set(sites.map(({ code }) => code))].toSorted());
});
