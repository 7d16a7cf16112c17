/**
 * The real command line over a chain of its own, for tests with real processes: nothing of the machine is touched but a
 * folder. How its units behave is decided by the names of files in that folder.
 */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { activate, conflict, defineUnit, provision } from "../../src/boot/unit.ts";
import { translatedArguments } from "../../src/cli/manageboot.ts";
import { main } from "../../src/cli/program.ts";
import { configured } from "../../src/run/load-setup.ts";
import { processTerminal } from "../../src/run/terminal.ts";
import { readIpv4Settings } from "../../src/config/state/ipv4-settings.ts";
import { unknownProfile } from "../../src/run/unknown-profile.ts";
import { configFiles, guestosLayout, ownFiles, runFiles, textfileIn } from "../../src/config/layout/layout.ts";
import { readProfileName } from "../../src/profiles/profile-name.ts";
import { ProblemError, toProblem } from "../../src/base/problem.ts";
import type { GuestUnit, Machine } from "../../src/units/machine.ts";
import { profiles } from "../../src/profiles/profiles.ts";
import { maintenance } from "./chains.ts";

const root = process.env["FIXTURE_ROOT"] ?? "";
const at = (name: string): string => join(root, name);
const there = async (name: string): Promise<boolean> =>
  access(at(name)).then(
    () => true,
    () => false,
  );
const touch = async ({ host }: Machine, name: string): Promise<void> => host.writeFile(at(name), "", { mode: 0o600 });

const first = defineUnit<Machine>({
  name: "first",
  title: "Make the first file",
  owns: [at("made-first")],
  plan: async (machine) =>
    (await there("made-first"))
      ? []
      : [
          provision("make the first file", async () => {
            while (await there("hold-first")) await new Promise((resolve) => setTimeout(resolve, 50));
            await touch(machine, "made-first");
          }),
        ],
});

const strict = defineUnit<Machine>({
  name: "strict",
  title: "Refuse a file named in-the-way",
  plan: async () => {
    if (await there("part"))
      throw new ProblemError({ code: "test-problem", what: "a file named part", todo: "remove it" }, { partial: true });
    return (await there("in-the-way"))
      ? conflict({
          code: "test-problem",
          what: "something is in the way",
          where: { file: at("in-the-way") },
          found: "a file",
          expected: "none",
          todo: "remove it",
        })
      : [];
  },
});

const slow = defineUnit<Machine>({
  name: "slow",
  title: "Sleep, when a file named sleep asks for it",
  requires: [first],
  plan: async ({ host }) =>
    (await there("sleep")) && !(await there("slept"))
      ? [
          activate("sleep for a minute", async () => {
            await host.writeFile(at("sleeping"), "", { mode: 0o600 });
            await host.run({ program: "sleep", args: ["60"] });
          }),
        ]
      : [],
});

const patient = defineUnit<Machine>({
  name: "patient",
  title: "Hold on to what it does for as long as a file named hold is there",
  plan: async (machine) =>
    (await there("hold")) && !(await there("held"))
      ? [
          activate("wait until the file named hold is gone", async () => {
            await touch(machine, "holding");
            while (await there("hold")) await new Promise((resolve) => setTimeout(resolve, 50));
          }),
        ]
      : [],
});

const bus = defineUnit<Machine>({
  name: "system-bus",
  title: "Wait while a file named no-bus is there",
  plan: async (machine) => {
    if (await there("no-bus")) await touch(machine, "waits-for-the-bus");
    while (await there("no-bus")) await new Promise((resolve) => setTimeout(resolve, 50));
    return [];
  },
});

const lenient = defineUnit<Machine>({
  name: "lenient",
  title: "Degrade for a file named bad",
  requires: [strict, bus],
  after: [slow],
  onFailure: "degrade",
  plan: async ({ note }) => {
    if (await there("odd")) note("there is something odd");
    return (await there("bad")) ? conflict({ code: "test-problem", what: "a file named bad", todo: "remove it" }) : [];
  },
});

const twin = defineUnit<Machine>({ name: "first", title: "A second one of that name", plan: async () => [] });

const network = defineUnit<Machine>({
  name: "network",
  title: "Write the orchestrator's IPv4 settings to a file named applied",
  plan: async (machine) => {
    const wanted = JSON.stringify((await readIpv4Settings(machine.host, machine.layout)) ?? null);
    return (await machine.host.readText(at("applied"))) === wanted
      ? []
      : [activate("apply them", async () => machine.host.writeFile(at("applied"), wanted, { mode: 0o600 }))];
  },
});

const chain: readonly GuestUnit[] = [
  ...[first, strict, slow, patient, bus, lenient],
  ...((await there("unsound")) ? [twin] : []),
  ...((await there("with-network")) ? [network] : []),
];

const layout = {
  ...guestosLayout,
  run: at("run"),
  runFiles: runFiles(at("run")),
  records: at("var/boots"),
  versionFile: at("version.txt"),
  ...textfileIn(at("collector")),
  grubenv: at("grubenv"),
  config: {
    ...configFiles(at("config")),
    slots: at("slots"),
    refusedImages: at("slots/refused.json"),
    unfinishedRun: at("config/unfinished-run.json"),
  },
  accountKeysRuntime: at("authorized_keys"),
  etc: { ...guestosLayout.etc, folder: at("etc"), healthChecks: at("health.d"), ...ownFiles(at("own")) },
  mountPoints: { ...guestosLayout.mountPoints, var: at("var"), config: at("config") },
};

/** What the image says which system it is; a GuestOS when that file is not there. */
const profileProblem = await readProfileName({ readText: async () => readFile(at("profile"), "utf8").catch(() => undefined) }).then(
  () => undefined,
  toProblem,
);

process.exit(
  await main(translatedArguments(process.argv0, process.argv.slice(2)), processTerminal(), async () => {
    if (profileProblem !== undefined) return { ...unknownProfile(profileProblem), layout };
    return configured({
      profile: "guestos",
      chain,
      layout,
      medium: profiles.guestos.medium,
      maintenance: async () => maintenance,
      health: async () => [],
      configuration: { files: [], executables: [], problems: [] },
    });
  }),
);
