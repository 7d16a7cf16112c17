import { repairedAtAnyTime } from "../profiles/profile.ts";
import { readProfileName } from "../profiles/profile-name.ts";
import { type ProfileName, profiles } from "../profiles/profiles.ts";
import { type Host, systemHost } from "../system/host.ts";
import { toProblem } from "../base/problem.ts";
import type { Setup } from "./setup.ts";
import type { Watched } from "./watched.ts";

/**
 * The system of that profile, or of the one that the image says it is. Loaded when a command needs it: it brings every unit with it.
 *
 * Nothing is thrown for an image that says nonsense: who names a profile can do without what it says, and who does not must be able
 * to find out, and to get to another system.
 *
 * @param host the machine whose image is asked
 */
export async function profileSetup(name?: ProfileName, host: Pick<Host, "readText"> = neverStopped()): Promise<Setup> {
  const own = await readProfileName(host).catch(toProblem);
  const profile = name ?? own;
  if (typeof profile !== "string") return (await import("./unknown-profile.ts")).unknownProfile(profile);
  const { chain, layout, medium, maintenance } = profiles[profile];
  const setup = { profile, chain: await chain(), layout, medium, maintenance, configuration: { files: [], executables: [], problems: [] } };
  // What /etc/guestos-boot says is said of this image's own profile.
  return profile === own ? configured(setup) : setup;
}

/** The same with what `layout.etc.own` says. Where that says nothing, as on most nodes, looking there is all that it costs. */
export async function configured(setup: Setup): Promise<Setup> {
  const host = neverStopped();
  const { ownConfig, ownUnits } = setup.layout.etc;
  const [file, units] = await Promise.all([host.stat(ownConfig), host.stat(ownUnits)]);
  if (file === undefined && units === undefined) return setup;
  const { configuredSetup } = await import("./configured-setup.ts");
  return configuredSetup(setup, host);
}

/**
 * What the monitor needs to know: without most units, which only a look loads, unless a file has something to say of them.
 *
 * @param setup all of it
 * @throws ProblemError when the image does not say which profile it has: there is nothing to watch
 */
export async function watchedSetup(setup: () => Promise<Setup>): Promise<Watched> {
  const profile = profiles[await readProfileName(neverStopped())];
  const [watchers, quick] = await Promise.all([profile.watchers(), profile.quick()]);
  const atStart = await repairedAtAnyTime(profile);
  if ((await neverStopped().stat(profile.layout.etc.ownConfig)) === undefined) {
    return { layout: profile.layout, medium: profile.medium, watchers, atStart, quick };
  }
  const { layout, medium, chain, maintenance } = await setup();
  const units = [...chain, ...(await maintenance())];
  const isOn = (name: string): boolean => units.some((unit) => unit.name === name);
  return {
    layout,
    medium,
    watchers: watchers.filter(({ name }) => isOn(name)),
    atStart: atStart.filter(isOn),
    // As the configuration has them.
    quick: chain.filter((unit) => quick.some(({ name }) => name === unit.name)),
  };
}

function neverStopped(): Host {
  return systemHost();
}
