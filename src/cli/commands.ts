import { type Command, Option } from "commander";
import {
  checkNodeConfigHelp,
  checkNodeHardwareHelp,
  configImageHelp,
  doctorHelp,
  graphHelp,
  monitorHelp,
  planHelp,
  runHelp,
  statusHelp,
  verifyHelp,
  hardwareMetricsHelp,
  replayHelp,
} from "./help.ts";
import { isProfileName, type ProfileName, profileNames } from "../profiles/profiles.ts";
import { requireConfiguration } from "../run/guards.ts";
import type { Selection } from "../run/select-units.ts";
import { addCommand } from "./add-command.ts";
import type { GraphRequest } from "./commands/graph-command.ts";
import type { InspectionRequest } from "./commands/monitor-inspect-command.ts";
import type { StatusRequest } from "./commands/status-command.ts";
import { addAnalyzeCommands } from "./analyze-commands.ts";
import { addGuestCommands } from "./guest-commands.ts";
import {
  bootNumber,
  bootOption,
  jsonOption,
  macOption,
  profileOption,
  replaceOption,
  stageOption,
  unitOption,
  waitOption,
} from "./options.ts";
import { addOrchestratorCommands } from "./orchestrator-commands.ts";
import { addRecoveryCommands } from "./recovery-commands.ts";
import type { CheckNodeHardwareFlags } from "./commands/check-node-hardware-command.ts";
import type { CommandContext } from "./command-context.ts";
import { addUpgradeCommands } from "./upgrade-commands.ts";
import { addAgentCommands, addHostCommands } from "./vsock-commands.ts";

interface ProfileFlags {
  readonly profile?: ProfileName;
  readonly json: boolean;
}

interface UnitFlags extends ProfileFlags, Omit<Selection, "units"> {
  readonly unit: readonly string[];
}

interface MonitorFlags extends Omit<InspectionRequest, "units" | "json"> {
  readonly once: boolean;
  readonly refresh: boolean;
  readonly metricsAddress?: string;
}

/** Adds each command: its name, its options, and the function that it calls. */
export function addCommands(program: Command, context: CommandContext): void {
  const { terminal, setup, end, entries } = context;
  const command = (name: string, description: string, help: string, ...options: readonly Option[]): Command =>
    addCommand(program, name, description, { help, options: [...options, jsonOption()], isDefault: name === "run" });

  program.commandsGroup("Running the boot chain:");
  command(
    "run",
    "do what is missing on this machine, unit by unit; the default command",
    runHelp,
    unitOption(),
    stageOption(),
    profileOption(),
    waitOption(),
  ).action(async ({ unit: units, profile, ...flags }: UnitFlags & { readonly wait: number }) => {
    const { run } = await import("./commands/run-command.ts");
    end(await run(await setup(profile), { ...flags, units }, terminal));
  });

  command("plan", "show what a run would do, and change nothing", planHelp, unitOption(), stageOption(), profileOption()).action(
    async ({ unit: units, profile, ...flags }: UnitFlags) => {
      const { plan } = await import("./commands/plan-command.ts");
      end(await plan(await setup(profile), { ...flags, units }, terminal));
    },
  );

  command("list", "name the units, in boot order: stage, what a failure means, title", "", profileOption()).action(
    async ({ profile, json }: ProfileFlags) => {
      const { list } = await import("./commands/chain-commands.ts");
      end(list(await setup(profile), { json }, terminal));
    },
  );

  command(
    "graph",
    "show the dependencies of the units",
    graphHelp,
    profileOption(),
    new Option("--format <format>", "text, the language of Graphviz or Mermaid, or a picture")
      .choices(["text", "dot", "mermaid", "svg"])
      .default("text"),
    new Option("--svg", "the same as --format svg").implies({ format: "svg" }),
    new Option("--boot <n>", "with --svg: as it ran that many boots ago; 0 is this boot").argParser(bootNumber),
  ).action(async ({ profile, ...flags }: Omit<ProfileFlags, "json"> & GraphRequest) => {
    const { graph } = await import("./commands/graph-command.ts");
    end(await graph(await setup(profile), flags, terminal));
  });

  command(
    "verify",
    "check the chains of all profiles and their configuration: names, cycles, what cannot be used",
    verifyHelp,
    profileOption(),
    new Option("--bounds", "also show the longest that a boot can take, and on which path"),
    new Option("--record <file>", "also hold what units did in a run against what they declare (GUESTOS_OBSERVE=1)"),
  ).action(async ({ profile, json, bounds, record }: ProfileFlags & { readonly bounds?: boolean; readonly record?: string }) => {
    const { verify } = await import("./commands/chain-commands.ts");
    const own = await setup(profile);
    const others = profile === undefined ? profileNames.filter((name) => name !== own.profile) : [];
    const chains = others.map(async (name) => ({ name, chain: (await setup(name)).chain }));
    end(await verify(own, await Promise.all(chains), { json, bounds: bounds === true, record }, terminal));
  });

  command("replay", "make the decisions of a recorded run again, on any computer, and say where this version decides otherwise", replayHelp)
    .argument("<file>", "observed.jsonl of a run with GUESTOS_OBSERVE=1")
    .action(async (file: string, flags: { readonly json: boolean }) => {
      const { replayRecord } = await import("./commands/replay-command.ts");
      end(await replayRecord(file, async (name) => setup(name !== undefined && isProfileName(name) ? name : undefined), flags, terminal));
    });

  program.commandsGroup("Inspecting a boot:");
  command(
    "status",
    "show how this boot went, or one before it",
    statusHelp,
    bootOption(),
    new Option("--watch", "follow this boot while it runs").conflicts("json").default(false, "check once"),
  ).action(async ({ watch, ...flags }: StatusRequest & { readonly watch: boolean }) => {
    if (watch) {
      const { watchStatus } = await import("./commands/status-watch-command.ts");
      return end(await watchStatus(await setup(), terminal));
    }
    const { status } = await import("./commands/status-command.ts");
    end(await status(await setup(), flags, terminal));
  });

  addAnalyzeCommands(program, context);

  command("doctor", "check the running node, and say how to repair what is wrong", doctorHelp).action(
    async (flags: { readonly json: boolean }) => {
      const { doctor } = await import("./commands/doctor-command.ts");
      end(await doctor(await setup(), flags, terminal));
    },
  );

  program.commandsGroup("Keeping the node as it is:");
  command(
    "monitor",
    "watch the running node, and repair what changes; guestos-monitor.service runs this",
    monitorHelp,
    new Option("--once", "check once, and end").default(false, "until it is stopped"),
    unitOption(),
    waitOption(),
    new Option("--metrics-address <address>", "serve metrics over HTTP at that port of 127.0.0.1, or at ADDRESS:PORT"),
    // For the monitor itself: when it started, which units to leave out, and whether only to publish results.
    new Option("--since <epoch>", "").argParser(Number).hideHelp(),
    new Option("--without <unit...>", "").default([]).hideHelp(),
    new Option("--refresh", "").default(false).hideHelp(),
  ).action(async ({ once, unit: units, metricsAddress, refresh, ...flags }: UnitFlags & MonitorFlags) => {
    if (once && !refresh) {
      const { inspectOnce } = await import("./commands/monitor-inspect-command.ts");
      return end(await inspectOnce(await setup(), { ...flags, units }, terminal));
    }
    const { watchedSetup } = await import("../run/load-setup.ts");
    if (refresh) {
      const { refreshOnce } = await import("./commands/monitor-inspect-command.ts");
      return end(await refreshOnce((await watchedSetup(setup)).layout, flags.wait, terminal));
    }
    const { monitor } = await import("./commands/monitor-command.ts");
    end(await monitor(await watchedSetup(setup), metricsAddress === undefined ? {} : { metricsAddress }, terminal));
  });

  addRecoveryCommands(program, context);

  program.commandsGroup("Upgrading the node:");
  addUpgradeCommands(program, context);

  program.commandsGroup("For the orchestrator:");
  addOrchestratorCommands(program, context);

  program.commandsGroup("Asking the host:");
  addHostCommands(program, context);

  // For the shells' completions (share/completions), not for people.
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: readonly string[]) => {
      const [{ complete }, { profileIn }] = await Promise.all([import("./commands/complete-command.ts"), import("./complete.ts")]);
      await complete(await setup(profileIn(words)), program, words, terminal);
    });

  // For guestos-setup-screen.service of an installer, not for people.
  program
    .command("setup-screen", { hidden: true })
    .argument("<consoles...>")
    .action(async (consoles: readonly string[]) => {
      const { setupScreen } = await import("./commands/setup-screen-command.ts");
      end(await setupScreen(await setup(), consoles));
    });

  program.commandsGroup("Before a node is installed:");
  command(
    "check-node-config",
    "check the configuration of a node, on any computer: config.ini and what belongs to it",
    checkNodeConfigHelp,
    macOption(),
  )
    .argument("<folder>", "with config.ini in it")
    .action(async (folder: string, flags: { readonly mac?: string; readonly json: boolean }) => {
      const { checkNodeConfigFolder } = await import("./commands/check-node-config-command.ts");
      end(await checkNodeConfigFolder(folder, flags, terminal));
    });
  command(
    "check-node-hardware",
    "check the machine that this runs on, as the installer does, and say what it would do to each drive",
    checkNodeHardwareHelp,
    replaceOption(),
    new Option("--try-ports", "ask the gateway on each port, with the address that the installer has").default(false, "change nothing"),
  )
    .argument("<folder>", "with config.ini in it")
    .action(async (folder: string, flags: CheckNodeHardwareFlags) => {
      const { checkNodeHardware } = await import("./commands/check-node-hardware-command.ts");
      end(await checkNodeHardware(folder, flags, terminal));
    });

  program.commandsGroup("On the host:");
  addAgentCommands(program, context);
  addGuestCommands(program, context);
  addCommand(program, "hardware-metrics", "write the metrics of the drives and of the power; guestos-hardware.timer runs this", {
    help: hardwareMetricsHelp,
  }).action(async () => {
    const { hardwareMetrics } = await import("./commands/hardware-metrics-command.ts");
    end(await hardwareMetrics(await setup(), terminal));
  });
  const configImage = command("config-image", "build the medium that brings a node its configuration (on the host)", configImageHelp);
  configImage
    .argument("[folder]", "with the same layout as the tar")
    .requiredOption("--out <file>", "the image; an existing file is replaced")
    .addOption(profileOption());
  for (const name of entries) configImage.option(`--${optionName(name)} <path>`, `used as ${name}, instead of that in the folder`);
  configImage.action(async (folder: string | undefined, { out, json, profile, ...flags }: ProfileFlags & { readonly out: string }) => {
    const { configImage: build } = await import("./commands/config-image-command.ts");
    const chosenSetup = await setup(profile);
    // Each profile defines what its medium may hold.
    if (chosenSetup.profile === undefined) requireConfiguration(chosenSetup);
    const given = new Map(Object.entries(flags).map(([option, path]) => [option, String(path)]));
    const chosen = entries.flatMap((name) => {
      const path = given.get(camelCase(optionName(name)));
      return path === undefined ? [] : [[name, path] as const];
    });
    end(
      await build(
        await chosenSetup.medium(),
        { out, json, entries: Object.fromEntries(chosen), ...(folder === undefined ? {} : { folder }) },
        terminal,
      ),
    );
  });
}

/** `network.conf` as an option: `network-conf`. */
function optionName(entry: string): string {
  return entry.replaceAll(/[._]/g, "-");
}

/** The key that commander makes of an option's name. */
function camelCase(option: string): string {
  return option.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
