import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import { foreignWords } from "../../base/foreign-words.ts";
import { ProblemError } from "../../base/problem.ts";
import { activate } from "../../boot/unit.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { type UsbDevice, usbDevices } from "../../system/hardware/usb-devices.ts";
import type { Host } from "../../system/host.ts";
import { unit } from "../machine.ts";
import { checkElectedVersion } from "./check-elected-version.ts";
import { checkHardware } from "./check-hardware.ts";
import { checkImages } from "./check-images.ts";
import { installationOf, refuseDrives } from "./installation.ts";
import { checksLeftOut } from "./stick.ts";

/** Three hours, and milliseconds between two looks (dfinity/ic, ic-os/components/setupos/setup-hostos-config.sh). */
const PATIENCE = 3 * 3_600_000;
const PAUSE = 3000;

/**
 * Afterwards the node's operator can be identified: their key is on the stick, or an HSM is plugged in, without which a node cannot register.
 *
 * It is waited for before the first drive is touched, unlike with the installer of today: who has no HSM at hand keeps what is installed. A
 * rehearsal does not wait, and neither does a stick that was left in. It changes nothing.
 */
export const checkHsm = unit({
  name: "check-hsm",
  title: "Wait for the HSM of the operator, where the stick has no key",
  // Last of all checks: what is wrong is said at once, and not after the wait.
  requires: [checkHardware, checkElectedVersion, checkImages],
  timeout: PATIENCE + 60_000,
  absent: checksLeftOut,
  async plan(machine) {
    const { host, layout, note } = machine;
    const { plan, configIni } = await installationOf(machine);
    // Nor is it waited for where the drives are refused.
    refuseDrives(machine, plan);
    if ((await readHostosConfig(host, layout)).config.icos_settings.node_operator_private_key !== null) return [];
    if (plan.phase === "complete" || (await usbDevices(host)).some(isHsm)) return [];
    if (configIni?.config.rehearse === true) {
      note("there is no operator's key on the stick, and no HSM is plugged in: the installation would wait for it");
      return [];
    }
    return [
      activate("wait until the HSM is plugged in, for three hours at most", async () => {
        note("plug in the HSM: there is no operator's key on the stick");
        await waitForHsm(host);
      }),
    ];
  },
});

/** As lsusb would name it: a Nitrokey, whose vendor is Clay Logic. */
function isHsm({ vendor, manufacturer, product }: UsbDevice): boolean {
  return vendor === "20a0" || /Nitro|Clay/.test(`${manufacturer} ${product}`);
}

async function waitForHsm(host: Host): Promise<void> {
  for (const left = deadlineIn(PATIENCE); !(await usbDevices(host)).some(isHsm);) {
    if (left() > 0 && (await pause(systemClock, PAUSE, host.signal))) continue;
    host.signal.throwIfAborted();
    const found = (await usbDevices(host)).map(({ manufacturer, product }) => foreignWords(`${manufacturer} ${product}`.trim()));
    throw new ProblemError({
      code: "hsm-missing",
      what: "no HSM was plugged in, and the stick has no operator's key",
      found: found.filter((words) => words !== "").join(", ") || "no USB device",
      expected: "a Nitrokey HSM, or node_operator_private_key.pem on the stick",
      todo: "plug it into the machine itself, not into a console from afar; try another port; then start the stick again",
    });
  }
}
