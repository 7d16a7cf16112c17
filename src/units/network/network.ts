import { basename, join } from "node:path";
import { type Action, activate } from "../../boot/unit.ts";
import type { ConfFinding } from "../../config/text/conf.ts";
import { refuseFindings } from "../../base/finding.ts";
import type { NetworkConf, NetworkConfFile } from "../../config/network-conf.ts";
import { CORRECT_ON_HOST, readNetworkConfFile } from "../../config/node-network.ts";
import { readIpv4Settings } from "../../config/state/ipv4-settings.ts";
import type { Host } from "../../system/host.ts";
import { asStatic, type LinkDescription, staticDifferences } from "../../system/network/link-description.ts";
import { networkFile, type NetworkSettings, OUR_MARK, type StaticSettings } from "../../system/network/network-file.ts";
import { isNameFinal, type NetworkInterface } from "../../system/network/network-interfaces.ts";
import { describeLink, type Outcome, reloadLink, waitForLink } from "../../system/network/networkd.ts";
import { ProblemError } from "../../base/problem.ts";
import { isBusRunning, isServiceRunning, runJob } from "../../system/systemd/systemd.ts";
import { configInjection } from "../injection/config-injection.ts";
import { type Machine, unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { networkCard } from "./network-card.ts";
import { primaryInterface } from "./primary-interface.ts";
import { notReady } from "./link-problems.ts";
import { whileUdevWorks } from "./while-udev-works.ts";

/**
 * Afterwards the .network file of the primary interface agrees with network.conf, and systemd-networkd has applied it, or will.
 *
 * It requires the injected configuration and nothing else: neither LUKS nor LVM. In a boot it comes before systemd-networkd, which the file
 * starts (etc/common/systemd/system/guestos-network.path) while the disks are still being opened. When it runs later, after an operator has
 * edited network.conf, it has networkd apply the change, and starts networkd if it does not run. There is no conflict: files that this
 * program made for other interfaces are removed, and all other files stay.
 *
 * The IPv4 address that the orchestrator gave in this boot takes the place of network.conf's.
 *
 * A value of network.conf that cannot be used counts as absent. The rest is applied, and then the unit is degraded and names the place. One
 * wrong value must not make the others fail, nor an upgrade's trial. On a running node, the operator who edited the file can correct it.
 * There, a mistake that could remove an address or a route leaves the network as it is, and is an error.
 */
export const network = unit({
  name: "network",
  title: "Configure the network",
  requires: [configInjection],
  owns: ["/run/systemd/network/10-*.network"],
  // Order only: a node that cannot record its card must still have a network.
  after: [networkCard],
  // udev is waited for while it has events. The kernel may tell it of the interface a moment later.
  retryFor: 10_000,
  timeout: 300_000,
  async plan(machine) {
    const { host, layout } = machine;
    const { conf, link, settings, path } = await intended(machine);
    const { malformed, unusable, warnings } = conf;
    const text = networkFile(link.name, settings, conf.isFromHost ? "host" : "file");
    const stale = await staleFiles(machine, path);
    const current = await host.readText(path);
    const hasFile = current === text;
    // The unit `hostname` reports its own key.
    const leftOut = [...malformed, ...unusable].filter(({ key }) => key !== "hostname");
    const todo = conf.isFromHost ? CORRECT_ON_HOST : "correct it there, then: guestos-boot --unit network";
    if (!hasFile && current?.startsWith(OUR_MARK) === true && leftOut.some(concernsReach))
      refuseFindings(conf.file, leftOut, { rest: "the network is not changed", todo });
    const files: Action[] = stale.map((file) => activate(`remove ${file}, made for another interface`, async () => host.remove(file)));
    if (!hasFile) {
      files.push(
        activate(`write ${path}: ${settingsText(settings)}`, async () => {
          for (const warning of warnings) machine.note(`${basename(conf.file)}: ${warning}`);
          await host.makeFolder(layout.networkd, { mode: 0o755 });
          // networkd runs as a user of its own, and must be able to read it.
          await host.writeFile(path, text, { mode: 0o644 });
        }),
      );
    }
    const actions = [...files, ...(await application(host, link, { path, wanted: asStatic(settings) }, files.length > 0))];
    if (actions.length > 0) return actions;
    refuseFindings(conf.file, leftOut, { rest: "all other settings are in force", todo, partial: true });
    return [];
  },
});

/** Whether the value left out may be an address or a gateway; a misspelt key may be one too. */
function concernsReach({ key }: ConfFinding): boolean {
  return key !== "domain" && key !== "name_servers";
}

/**
 * Afterwards systemd-networkd has applied the file, even if networkd ran before the file existed.
 *
 * It comes after the bus, because in a boot the unit `network` runs before it. In a later run, `network` has the file applied itself.
 * Without a bus, networkd cannot be asked: the unit then has no actions, because the file itself is not at fault. There is no conflict.
 */
export const networkApplied = unit({
  name: "network-applied",
  title: "Apply the network configuration",
  // Not required: either unit may be switched off.
  after: [network, systemBus],
  // systemd-networkd may have been started only moments ago, and on a busy host it takes many times as long.
  retryFor: 120_000,
  // The start of networkd may take JOB_TIMEOUT, and the last try begins when the time for retries is over.
  timeout: 300_000,
  async plan(machine) {
    const { host, layout } = machine;
    if (!((await host.list(layout.networkd)) ?? []).some(isOurs)) return [];
    const { link, settings, path } = await intended(machine);
    return application(host, link, { path, wanted: asStatic(settings) }, false);
  },
});

interface Intended {
  readonly conf: NetworkConfFile;
  readonly link: NetworkInterface;
  readonly settings: NetworkSettings;
  /** The .network file. */
  readonly path: string;
}

async function intended(machine: Machine): Promise<Intended> {
  const { host, layout } = machine;
  const conf = await readNetworkConfFile(host, layout);
  const link = await readyInterface(machine);
  const given = await readIpv4Settings(host, layout);
  return { conf, link, settings: networkSettings({ ...conf.conf, ...given }), path: join(layout.networkd, `10-${link.name}.network`) };
}

/** @returns the primary interface under its final name. @throws ProblemError while there is none */
async function readyInterface(machine: Machine): Promise<NetworkInterface> {
  const { host, layout } = machine;
  let link: NetworkInterface | undefined;
  const { found, isUdevBusy } = await whileUdevWorks(machine, "the network interface", async () => {
    link = await primaryInterface(host, layout);
    return link !== undefined && (await isNameFinal(host, link)) ? link : undefined;
  });
  if (found === undefined) throw notReady(link, isUdevBusy);
  return found;
}

/** Router advertisements are off only if `ipv6_address` is given: then network.conf alone determines the IPv6 settings. */
export function networkSettings(conf: NetworkConf): NetworkSettings {
  const given = (...values: readonly (string | undefined)[]): string[] => values.filter((value) => value !== undefined);
  return {
    addresses: given(conf.ipv6_address, conf.ipv4_address),
    gateways: given(conf.ipv6_gateway, conf.ipv4_gateway),
    nameServers: conf.name_servers,
    domains: given(conf.domain),
    acceptRouterAdvertisements: conf.ipv6_address === undefined,
  };
}

function settingsText(settings: NetworkSettings): string {
  const automatic = settings.acceptRouterAdvertisements ? ["automatic IPv6"] : [];
  const named = (what: string, values: readonly string[]): string[] => (values.length === 0 ? [] : [`${what} ${values.join(" ")}`]);
  return [
    ...automatic,
    ...named("address", settings.addresses),
    ...named("gateway", settings.gateways),
    ...named("name servers", settings.nameServers),
    ...named("domain", settings.domains),
  ].join(", ");
}

/** Whether a name has the form that this program gives to its files. */
function isOurs(name: string): boolean {
  return /^10-.+\.network$/.test(name);
}

/** Files that this program made when another interface was the primary one. */
async function staleFiles({ host, layout }: Machine, current: string): Promise<readonly string[]> {
  const names = (await host.list(layout.networkd)) ?? [];
  const others = names.filter(isOurs).map((name) => join(layout.networkd, name));
  const stale: string[] = [];
  for (const path of others) {
    if (path !== current && (await host.readText(path))?.startsWith(OUR_MARK) === true) stale.push(path);
  }
  return stale;
}

const NETWORKD = "systemd-networkd.service";

/** The wanted state of the link. */
interface Goal {
  /** The .network file. */
  readonly path: string;
  readonly wanted: StaticSettings;
}

function pending(link: LinkDescription, { path, wanted }: Goal): readonly string[] {
  return [...(link.networkFile === path ? [] : [`file ${link.networkFile ?? "none"} → ${path}`]), ...staticDifferences(link, wanted)];
}

function start(host: Host, link: NetworkInterface, goal: Goal): Action {
  return activate(`start systemd-networkd, which applies it to ${link.name}`, async () => {
    await runJob(host, "start", NETWORKD);
    await expectApplied(link, goal, async (reached) => waitForLink(host, link.index, { within: APPLY_TIMEOUT, reached }));
  });
}

/** The actions after which networkd has applied the file. None if it reports that it has, and none while there is no bus. */
async function application(host: Host, link: NetworkInterface, goal: Goal, filesChange: boolean): Promise<readonly Action[]> {
  if (!(await isBusRunning(host))) return [];
  if (!(await isServiceRunning(host, NETWORKD))) return [start(host, link, goal)];
  const differences = pending(await describeLink(host, link.index), goal);
  if (!filesChange && differences.length === 0) return [];
  const changes = differences.length === 0 ? "no visible change" : differences.join(", ");
  return [
    activate(`have systemd-networkd apply it to ${link.name}: ${changes}`, async () => {
      await expectApplied(link, goal, async (reached) => reloadLink(host, link.index, { within: APPLY_TIMEOUT, reached }));
    }),
  ];
}

/** Has networkd act until the link has the wanted state. @throws ProblemError that lists what is still missing */
async function expectApplied(
  { name }: NetworkInterface,
  goal: Goal,
  act: (reached: (link: LinkDescription) => boolean) => Promise<Outcome>,
): Promise<void> {
  const { reached, link } = await act((now) => pending(now, goal).length === 0);
  if (reached) return;
  const partial = link.networkFile === goal.path && hasWholeFamily(link, goal.wanted);
  throw new ProblemError(
    {
      code: "networkd-not-applied",
      what: `systemd-networkd did not apply ${goal.path} within ${APPLY_TIMEOUT / 1000} s`,
      found: `${link.administrativeState}; still missing: ${pending(link, goal).join(", ")}`,
      todo: `networkctl status ${name}; journalctl -b -u systemd-networkd`,
    },
    // networkd may only be slow. Where a part is in force, the boot goes on with it, and is not held up by the rest.
    { partial, retryable: !partial },
  );
}

/** Whether all wanted addresses and gateways of at least one address family are in force, so that the node can be reached by it. */
function hasWholeFamily({ static: { addresses, gateways } }: LinkDescription, wanted: StaticSettings): boolean {
  return [true, false].some((ipv6) => {
    const ofFamily = (values: readonly string[]): readonly string[] => values.filter((value) => value.includes(":") === ipv6);
    const [address, gateway] = [ofFamily(wanted.addresses), ofFamily(wanted.gateways)];
    return address.length > 0 && address.every((one) => addresses.includes(one)) && gateway.every((one) => gateways.includes(one));
  });
}

/** Duplicate address detection takes a second or two, and an emulated machine is slow. */
const APPLY_TIMEOUT = 20_000;
