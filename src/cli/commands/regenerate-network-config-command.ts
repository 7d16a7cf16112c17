import { quoted } from "../../base/quoted.ts";
import { ipv4Settings, type Ipv4Settings, type AskedIpv4, writeIpv4Settings } from "../../config/state/ipv4-settings.ts";
import { systemHost } from "../../system/host.ts";
import { readersFolder } from "../../system/files/readers.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { requireConfiguration, requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { run } from "./run-command.ts";

export interface RegenerateRequest {
  readonly ipv4Address?: string;
  readonly ipv4PrefixLength?: string;
  readonly ipv4Gateway?: string;
}

const OPTIONS = {
  address: "--ipv4-address",
  prefixLength: "--ipv4-prefix-length",
  gateway: "--ipv4-gateway",
} as const satisfies Record<keyof AskedIpv4, string>;

/** Seconds to wait for a run: the caller tries again by itself. */
const PATIENCE = 60;

/**
 * Configures the network again, with the IPv4 address of the network's registry in place of the configuration's; without one, with the
 * configuration's own. It holds until the next boot.
 *
 * @throws ExitError for values that cannot be used, and where not root; nothing was changed then
 */
export async function regenerateNetworkConfig(setup: Setup, request: RegenerateRequest, terminal: Terminal): Promise<ExitName> {
  const settings = settingsIn(request);
  requireConfiguration(setup);
  requireRoot("the network is for root alone to configure");
  const host = systemHost();
  await host.makeFolder(setup.layout.run, readersFolder);
  await writeIpv4Settings(host, setup.layout, settings);
  return run(setup, { units: ["network"], json: false, wait: PATIENCE }, terminal);
}

function settingsIn({ ipv4Address, ipv4PrefixLength, ipv4Gateway }: RegenerateRequest): Ipv4Settings | undefined {
  if (ipv4Address === undefined && ipv4PrefixLength === undefined && ipv4Gateway === undefined) return undefined;
  const asked = {
    address: given("address", ipv4Address),
    prefixLength: given("prefixLength", ipv4PrefixLength),
    gateway: given("gateway", ipv4Gateway),
  };
  const settings = ipv4Settings(asked);
  if (!("name" in settings)) return settings;
  throw new ExitError("usage", {
    code: "ipv4-unusable",
    what: `${OPTIONS[settings.name]} cannot be used; nothing was changed`,
    found: quoted(asked[settings.name]),
    expected: settings.expected,
  });
}

function given(name: keyof AskedIpv4, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new ExitError("usage", {
    code: "ipv4-incomplete",
    what: `${OPTIONS[name]} is missing; nothing was changed`,
    expected: `all of ${Object.values(OPTIONS).join(", ")}, or none of them`,
  });
}
