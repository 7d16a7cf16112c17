import { activate } from "../../boot/unit.ts";
import { oneLine, type Problem, ProblemError } from "../../base/problem.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { osConfigText } from "../../config/os-config-text.ts";
import { checkNodeConfig } from "../../config/setup/node-config.ts";
import { readNodeFolder } from "../../config/setup/node-folder.ts";
import { askBmc } from "../../setupos/bmc.ts";
import { refuseProblems } from "../../setupos/several-problems.ts";
import { type Machine, unit } from "../machine.ts";
import { mountStick } from "./mount-stick.ts";
import { stickOf } from "./stick.ts";

/**
 * Afterwards the configuration of the host that is to be installed is on a tmpfs, made of config.ini, deployment.json and the keys of the stick.
 *
 * The MAC address of the BMC is a part of it: that of deployment.json, or else the one that the BMC tells. A BMC that tells none is told of
 * together with all mistakes of the stick. There is no conflict.
 */
export const checkConfig = unit({
  name: "check-config",
  title: "Check the node's configuration on the stick",
  requires: [mountStick],
  owns: ["/run/guestos-boot/node-config.json"],
  timeout: 300_000,
  async plan(machine) {
    const { host, layout, note } = machine;
    const { config, data } = stickOf(machine);
    const { mgmtMac, warnings, silent } = await bmcOf(machine);
    const checked = await checkNodeConfig(host, config.mountPoint, mgmtMac, data.mountPoint);
    refuseProblems("the configuration on the stick cannot be used", [...checked.mistakes, ...silent]);
    if (checked.hostosConfig === undefined || layout.hostosConfig === undefined)
      throw new ProblemError({
        code: "stick-config-not-whole",
        what: "the configuration on the stick is not complete",
        found: checked.unknown.map(({ what }) => what).join("; ") || "no mistakes, and no configuration",
        expected: "config.ini, deployment.json and the MAC address of the BMC",
        todo: "write the stick again, from an image that you have downloaded again; then copy config.ini to it",
      });
    const file = layout.hostosConfig;
    const text = Buffer.from(osConfigText(checked.hostosConfig));
    const present = await host.readBytes(file);
    if (present !== undefined && text.equals(present)) return [];
    for (const problem of [...warnings, ...checked.warnings, ...checked.unknown]) note(oneLine(problem));
    return [activate(`make the host's configuration, ${file}`, async () => host.writeFile(file, text, { mode: 0o600 }))];
  },
});

interface Bmc {
  readonly mgmtMac: string | undefined;
  readonly warnings: readonly Problem[];
  /** Why it tells no address, where deployment.json can have one in its place. */
  readonly silent: readonly Problem[];
}

/** The BMC is asked once: it is slow. */
async function bmcOf({ host, layout, ...machine }: Machine): Promise<Bmc> {
  const { config, data } = stickOf({ layout });
  if (layout.hostosConfig !== undefined && (await host.stat(layout.hostosConfig)) !== undefined) {
    const { mgmt_mac } = (await readHostosConfig(host, layout)).config.icos_settings;
    if (mgmt_mac !== null) return { mgmtMac: mgmt_mac, warnings: [], silent: [] };
  }
  const { deploymentJson } = await readNodeFolder(host, config.mountPoint, data.mountPoint);
  const configured = deploymentJson?.deployment.mgmtMac;
  if (configured !== undefined) return { mgmtMac: configured, warnings: [], silent: [] };
  const { mgmtMac, warnings, unknown } = await askBmc(host, undefined);
  // A stick without that file is not whole, which is the greater fault.
  if (deploymentJson !== undefined) return { mgmtMac, warnings, silent: unknown.map((problem) => ({ ...problem, todo: NO_BMC })) };
  for (const problem of unknown) machine.note(oneLine(problem));
  return { mgmtMac, warnings, silent: [] };
}

/** The stick has its own ipmitool and drivers. */
const NO_BMC =
  "check in the firmware that the BMC and its network port are on; for a machine without a BMC, set deployment.mgmt_mac in deployment.json on the stick";
