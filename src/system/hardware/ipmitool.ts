import { ProblemError } from "../../base/problem.ts";
import { foreignText } from "../../base/foreign-words.ts";
import { CommandError, lastLines } from "../command.ts";
import type { Host } from "../host.ts";
import { ANY_STATUS } from "../tool-json.ts";

/**
 * The MAC address of the machine's BMC, as ipmitool prints it. What it prints counts, and not how it ends: it may fail after a good answer
 * (ipmitool issue 388). It may also hang, and succeed a moment later: it has three tries.
 *
 * @throws CommandError, or ProblemError where it names no address
 */
export async function bmcAddress(host: Host): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const { stdout, stderr, status } = await host.run({
        program: "ipmitool",
        args: ["lan", "print"],
        okStatuses: ANY_STATUS,
        timeout: IPMI_TIME,
        todo: NO_ANSWER,
      });
      const mac = /^MAC Address\s*:\s*(\S+)\s*$/m.exec(stdout)?.[1];
      if (mac !== undefined) return foreignText(mac);
      throw new ProblemError({
        code: "bmc-not-read",
        what: "ipmitool does not tell the MAC address of the BMC",
        found: lastLines(stderr === "" ? stdout : stderr, 1) || `exit status ${status}`,
        expected: "a line MAC Address",
        todo: NO_ANSWER,
      });
    } catch (error) {
      const isMissing = error instanceof CommandError && error.ending.kind === "not-found";
      if (tries === MOST_TRIES || isMissing || !(error instanceof ProblemError)) throw error;
    }
  }
}

/** What a machine takes, as its BMC measures it. Watts and seconds; `undefined` for what it does not say. */
export interface PowerReading {
  readonly now: number;
  readonly average: number | undefined;
  readonly samplingPeriod: number | undefined;
}

/**
 * What the machine takes (Data Center Manageability Interface, "Get Power Reading").
 *
 * @returns `undefined` for a machine without a BMC
 * @throws CommandError, or ProblemError where the BMC does not measure
 */
export async function powerReading(host: Host): Promise<PowerReading | undefined> {
  if ((await host.stat(BMC)) === undefined) return undefined;
  const { stdout, stderr, status } = await host.run({
    program: "ipmitool",
    args: ["dcmi", "power", "reading"],
    okStatuses: ANY_STATUS,
    timeout: IPMI_TIME,
    todo: NO_ANSWER,
  });
  const number = (name: string, unit: string): number | undefined => {
    const text = new RegExp(`^\\s*${name}:\\s*(\\d{1,9}) ${unit}\\.?\\s*$`, "m").exec(stdout)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const now = number("Instantaneous power reading", "Watts");
  if (now !== undefined) {
    const average = number("Average power reading over sample period", "Watts");
    return { now, average, samplingPeriod: number("Sampling period", "Seconds") };
  }
  throw new ProblemError({
    code: "power-not-read",
    what: "the BMC does not tell what the machine takes",
    found: lastLines(stderr === "" ? stdout : stderr, 1) || `exit status ${status}`,
    expected: "a line Instantaneous power reading",
    todo: "see whether it measures: ipmitool dcmi discover",
  });
}

/** The driver's device (the kernel's Documentation/driver-api/ipmi.rst). */
const BMC = "/dev/ipmi0";

/** Milliseconds. A BMC that was just restarted answers late. */
const IPMI_TIME = 15_000;
const MOST_TRIES = 3;
const NO_ANSWER =
  "install ipmitool, and load its drivers: modprobe ipmi_si; modprobe ipmi_devintf. For a machine without a BMC, write mgmt_mac into deployment.json";
