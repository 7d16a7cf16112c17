import { expect, test } from "vitest";
import { readProfileName } from "../../../src/profiles/profile-name.ts";
import { profileNames } from "../../../src/profiles/profiles.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const FILE = "/etc/guestos-boot/profile";

test("an image that does not say is a GuestOS", async () => {
  expect(await readProfileName(fakeHost())).toBe("guestos");
});

test.each([
  ["guestos", "guestos"],
  ["guestos\n", "guestos"],
  ["boundary\n", "boundary"],
])("%j is the profile %s", async (content, name) => {
  expect(await readProfileName(fakeHost({ files: { [FILE]: content } }))).toBe(name);
});

test.each(["", "\n", "Boundary\n", " boundary\n", "boundary \n", "boundary\n\n", "guestos boundary\n", "# boundary\n", "guestos\0"])(
  "%j is none, and no other chain is run in its place",
  async (content) => {
    const host = fakeHost({ files: { [FILE]: content } });
    expect(await problemOf(async () => readProfileName(host))).toMatchObject({
      what: "the image does not say which profile it has",
      where: { file: FILE, line: 1, column: 1 },
      expected: expect.stringMatching(/^one word, guestos or boundary/),
    });
  },
);

test("a slip of the pen is understood, and not taken for what was meant", async () => {
  const host = fakeHost({ files: { [FILE]: "boundry\n" } });
  expect((await problemOf(async () => readProfileName(host))).expected).toBe(`one word, ${profileNames.join(" or ")}; perhaps boundary`);
});
