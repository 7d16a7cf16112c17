import { expect, test } from "vitest";
import { main } from "../../../src/cli/program.ts";
import { profileNames, profiles } from "../../../src/profiles/profiles.ts";
import { stagesOf } from "../../../src/run/stages.ts";
import { profileSetup } from "../../../src/run/load-setup.ts";
import { boundary } from "../../support/chains.ts";
import { guestos } from "../../support/chains.ts";
import { fakeHost } from "../../support/fake-host.ts";

interface Said {
  readonly code: number;
  readonly out: readonly string[];
  readonly complaints: string;
}

/** @param image what the image says in /etc/guestos-boot/profile */
async function say(args: readonly string[], image?: string): Promise<Said> {
  const [out, complaints]: [string[], string[]] = [[], []];
  const terminal = {
    print: (text: string) => void out.push(...text.split("\n")),
    complain: (text: string) => void complaints.push(text),
    colour: false,
  };
  const host = fakeHost({ files: image === undefined ? {} : { "/etc/guestos-boot/profile": image } });
  const code = await main(args, terminal, async (name) => profileSetup(name, host));
  return { code, out, complaints: complaints.join("\n") };
}

const names = ({ out }: Said): readonly string[] => out.map((line) => line.split(" ")[0] ?? "");

test("the chain is that of the image, or of the profile that is named, and a GuestOS's when neither says", async () => {
  const chains = { guestos: guestos.map(({ name }) => name), boundary: boundary.map(({ name }) => name) };
  expect(names(await say(["list"]))).toEqual(chains.guestos);
  expect(names(await say(["list"], "boundary\n"))).toEqual(chains.boundary);
  expect(names(await say(["list", "--profile", "boundary"]))).toEqual(chains.boundary);
  expect(names(await say(["list", "--profile", "guestos"], "boundary\n"))).toEqual(chains.guestos);
  expect(names(await say(["graph", "--profile", "boundary"]))).toEqual(chains.boundary);
});

test("names and titles are in columns, however long a name is", async () => {
  const { out } = await say(["list", "--profile", "boundary"]);
  expect(new Set(out.map((line) => line.search(/ (early|late) /)))).toHaveProperty("size", 1);
});

const chains = await Promise.all(profileNames.map(async (name) => ({ name, units: (await profiles[name].chain()).length })));

test("verify checks the chain of every profile, or of the one that is named", async () => {
  expect(await say(["verify"])).toEqual({
    code: 0,
    out: chains.map(({ name, units }) => `${name}: the chain is sound: ${units} units`),
    complaints: "",
  });
  expect((await say(["verify", "--profile", "boundary"])).out).toHaveLength(1);
  const found = JSON.parse((await say(["verify", "--json"])).out.join("\n")) as { readonly profiles: readonly object[] };
  expect(found.profiles).toEqual(chains.map((chain) => ({ ...chain, problems: [], bounds: expect.anything() })));
});

test("a chain that is not sound is named with its profile", async () => {
  const complaints: string[] = [];
  const terminal = { print: () => undefined, complain: (text: string) => void complaints.push(text), colour: false };
  const setup: typeof profileSetup = async (name) => {
    const real = await profileSetup(name);
    return name === "boundary" ? { ...real, chain: real.chain.filter((unit) => unit.name !== "network") } : real;
  };
  expect(await main(["verify"], terminal, setup)).toBe(9);
  expect(complaints.join("\n")).toContain("boundary: nginx requires network, which is not part of the chain");
});

test.each([["list"], ["graph"], ["plan"], ["run"], ["run", "--unit", "mount-boot"], ["config-image", "--out", "/nowhere"]])(
  "of an image that says nonsense, what needs the profile is refused (%s)",
  async (...args) => {
    const refused = await say(args, "boundry\n");
    expect(refused.code).toBe(18);
    expect(refused.complaints).toContain("/etc/guestos-boot/profile:1:1");
    expect(refused.complaints).toContain("perhaps boundary");
    expect(refused.out).toEqual([]);
  },
);

test("who names the profile can do without what the image says", async () => {
  expect(names(await say(["list", "--profile", "boundary"], "boundry\n"))).toEqual(boundary.map(({ name }) => name));
});

test("verify tells the longest that a boot can take, and on which path", async () => {
  const { code, out } = await say(["verify", "--bounds", "--profile", "boundary"]);
  expect(code).toBe(0);
  expect(out.filter((line) => !line.startsWith(" "))).toEqual([
    expect.stringMatching(/^boundary: the chain is sound/),
    "boundary: systemd may go on after at most 23 min 12 s, on this path:",
    expect.stringMatching(/^boundary: all has ended after at most \d+ min/),
  ]);
  expect(out.slice(2, 5)).toEqual([
    "  mount-boot                   3 min",
    "  config-injection             5 min",
    "  injected-data                15 min",
  ]);
  const { profiles } = JSON.parse((await say(["verify", "--json", "--profile", "boundary"])).out.join("\n")) as {
    readonly profiles: readonly { readonly bounds: { readonly ready: object } }[];
  };
  expect(profiles[0]?.bounds.ready).toMatchObject({ seconds: 1392, path: [{ unit: "mount-boot", seconds: 180 }, {}, {}] });
});

test("verify says that an image says nonsense, and checks every chain all the same", async () => {
  const { code, out, complaints } = await say(["verify"], "\u0000\n");
  expect(code).toBe(18);
  expect(complaints).toContain("the image does not say which profile it has");
  expect(out).toHaveLength(profileNames.length);
});

test("the boot of such an image makes nothing: it fails, and mounts only what is needed to leave it", async () => {
  const { chain, configuration } = await profileSetup(undefined, fakeHost({ files: { "/etc/guestos-boot/profile": "boundry\n" } }));
  expect(chain.map(({ name }) => name)).toEqual(["profile", "mount-boot"]);
  expect(chain.every((unit) => stagesOf(chain)(unit) === "early" && unit.onFailure === "stop")).toBe(true);
  expect(configuration.problems).toHaveLength(1);
});

test("a profile that there is not is wrong usage", async () => {
  const { code, complaints } = await say(["plan", "--profile", "plan9"]);
  expect(code).toBe(2);
  expect(complaints).toMatch(new RegExp(`Allowed choices are\\s+${profileNames.join(", ")}`));
});

test("the units that complete a line are those of the profile that is in it", async () => {
  const complete = async (...words: readonly string[]): Promise<readonly string[]> =>
    (await say(["complete", "--", "guestos-boot", ...words])).out.map((line) => line.split("\t")[0] ?? "");
  expect(await complete("plan", "--profile", "boundary", "--unit", "ng")).toEqual(["nginx"]);
  expect(await complete("plan", "--profile=boundary", "--unit", "ng")).toEqual(["nginx"]);
  expect(await complete("plan", "--unit", "ng")).toEqual([]);
  expect(await complete("plan", "--profile", "")).toEqual(profileNames);
});
