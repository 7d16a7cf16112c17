import { join } from "node:path";
import type { Layout } from "../config/layout.ts";
import { type Host, systemHost } from "../system/host.ts";
import type { Problem } from "../system/problem.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What is run, and where: the real chain on the real machine, or a test's; with what /etc/guestos-boot says of it. */
export interface Setup {
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
  /** The monitor's own units; loaded when they are asked for. */
  readonly upkeep: () => Promise<readonly GuestUnit[]>;
  readonly configuration: {
    /** What was taken into account. */
    readonly files: readonly string[];
    /** What extra units run. Looked at when they are run, and by `verify`: one that is missing fails for itself. */
    readonly executables: readonly string[];
    /** What is wrong with them. A boot goes on without what it cannot use; see `requireConfiguration`. */
    readonly problems: readonly Problem[];
  };
}

/** The GuestOS. Loaded when a command needs it: it brings every unit with it. */
export async function guestosSetup(): Promise<Setup> {
  const [{ guestos }, { guestosLayout }] = await Promise.all([import("../units/guestos.ts"), import("../config/layout.ts")]);
  return configured({
    chain: guestos,
    layout: guestosLayout,
    upkeep: async () => (await import("../units/upkeep.ts")).upkeep,
    configuration: { files: [], executables: [], problems: [] },
  });
}

/** The same with what `layout.etc.own` says. Where that says nothing, as on most nodes, looking there is all that it costs. */
export async function configured(setup: Setup): Promise<Setup> {
  const host = neverStopped();
  const { own } = setup.layout.etc;
  const [file, units] = await Promise.all([host.stat(configFile(setup.layout)), host.stat(join(own, "units.d"))]);
  if (file === undefined && units === undefined) return setup;
  const { configuredSetup } = await import("./configured-setup.ts");
  return configuredSetup(setup, host);
}

/**
 * What the monitor needs to know: without the units, which only a look loads, unless a file has something to say of them.
 *
 * @param setup all of it
 */
export async function watchedSetup(
  setup: () => Promise<Setup>,
): Promise<Pick<Setup, "layout"> & { readonly isOn: (unit: string) => boolean }> {
  const { guestosLayout } = await import("../config/layout.ts");
  if ((await neverStopped().stat(configFile(guestosLayout))) === undefined) return { layout: guestosLayout, isOn: () => true };
  const { layout, chain, upkeep } = await setup();
  const on = new Set([...chain, ...(await upkeep())].map(({ name }) => name));
  return { layout, isOn: (unit) => on.has(unit) };
}

function neverStopped(): Host {
  return systemHost({ signal: new AbortController().signal });
}

export function configFile({ etc }: Layout): string {
  return join(etc.own, "config.yaml");
}
