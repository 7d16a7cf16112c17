import { repairedAtAnyTime } from "../profiles/profile.ts";
import { readProfileName } from "../profiles/profile-name.ts";
import { type ProfileName, profiles } from "../profiles/profiles.ts";
import { type Host, systemHost } from "../system/host.ts";
import { toProblem } from "../base/problem.ts";
import type { Setup } from "./setup.ts";
import type { Watched } from "./watched.ts";

/**
 * The setup of that profile, or of the profile that the image names. Load it only when a command needs it: it imports every unit.
 *
 * An invalid profile name in the image does not throw. A caller that names a profile does not need the image's; any other must be able to
 * diagnose, and to reach another system.
 *
 * @param host the machine whose image is read
 */
export async function profileSetup(name?: ProfileName, host: Pick<Host, "readText"> = neverStopped()): Promise<Setup> {
  const own = await readProfileName(host).catch(toProblem);
  const profile = name ?? own;
  if (typeof profile !== "string") return (await import("./unknown-profile.ts")).unknownProfile(profile);
  const { chain, layout, medium, maintenance, health } = profiles[profile];
  const configuration = { files: [], executables: [], problems: [] };
  const setup = { profile, chain: await chain(), layout, medium, maintenance, health, configuration };
  // /etc/guestos-boot configures this image's own profile only.
  return profile === own ? configured(setup) : setup;
}

/** The setup with the configuration in `layout.etc`. Where no configuration exists, as on most nodes, this costs two stat calls. */
export async function configured(setup: Setup): Promise<Setup> {
  const host = neverStopped();
  const { ownConfig, ownUnits } = setup.layout.etc;
  const [file, units] = await Promise.all([host.stat(ownConfig), host.stat(ownUnits)]);
  if (file === undefined && units === undefined) return setup;
  const { configuredSetup } = await import("./configured-setup.ts");
  return configuredSetup(setup, host);
}

/**
 * The monitor's part of the setup. It leaves out most units, which only an inspection loads, unless a configuration file exists.
 *
 * @param setup returns the whole setup
 * @throws ProblemError when the image does not name its profile: the monitor then has no unit to watch
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
    // With their configured settings.
    quick: chain.filter((unit) => quick.some(({ name }) => name === unit.name)),
  };
}

function neverStopped(): Host {
  return systemHost();
}
