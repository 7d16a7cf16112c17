import type { Problem } from "../base/problem.ts";
import { ProblemError } from "../base/problem.ts";
import { quoted } from "../base/quoted.ts";
import { readCardAddress } from "../config/values/mac-address.ts";
import { bmcAddress } from "../system/hardware/ipmitool.ts";
import type { Host } from "../system/host.ts";
import { known } from "./known.ts";

/** The address from which those of the node follow. */
interface BmcAnswer {
  readonly mgmtMac: string | undefined;
  readonly warnings: readonly Problem[];
  readonly unknown: readonly Problem[];
}

/**
 * Asks the BMC for its MAC address.
 *
 * @param configured mgmt_mac of deployment.json. It counts, as with the installer: there are machines without a BMC
 */
export async function askBmc(host: Host, configured: string | undefined): Promise<BmcAnswer> {
  const asked = await known(async () => cardAddress(await bmcAddress(host)));
  if (configured === undefined)
    return "value" in asked
      ? { mgmtMac: asked.value, warnings: [], unknown: [] }
      : { mgmtMac: undefined, warnings: [], unknown: [asked.problem] };
  const isOther = "value" in asked && asked.value !== configured;
  return { mgmtMac: configured, warnings: isOther ? [otherAddress(asked.value, configured)] : [], unknown: [] };
}

/** @throws ProblemError for what a BMC shows that has none */
function cardAddress(text: string): string {
  const mac = readCardAddress(text);
  if (mac !== undefined) return mac;
  throw new ProblemError({
    code: "bmc-address-none",
    what: "the BMC has no MAC address",
    found: quoted(text),
    expected: "the address of a network card, as in b0:7b:25:c8:f6:c0",
    todo: "turn on its network port in the firmware, and see which one it is: a dedicated one, or one that is shared",
  });
}

function otherAddress(found: string, expected: string): Problem {
  return {
    code: "bmc-address-other",
    what: "the BMC has another address than deployment.json says, which counts",
    found,
    expected,
    todo: "set mgmt_mac to null in deployment.json, unless the node is to keep the addresses that it had",
  };
}
