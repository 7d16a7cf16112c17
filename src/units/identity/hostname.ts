import { activate } from "../../boot/unit.ts";
import { refuseFindings } from "../../base/finding.ts";
import { CORRECT_ON_HOST, readNetworkConfFile } from "../../config/node-network.ts";
import { kernelHostname, setKernelHostname } from "../../system/hostname.ts";
import { configInjection } from "../injection/config-injection.ts";
import { unit } from "../machine.ts";
import { planRuntimeFile } from "./runtime-etc.ts";

/**
 * Afterwards the kernel and /etc/hostname hold the host name of network.conf. If network.conf gives none, the image's name stays.
 *
 * It requires the injected configuration and nothing else. It sets `hostname` alone, without `domain`: hostname(5) recommends "a single DNS
 * label, without any dots". The unit `network` sets the domain. There is no conflict: any other name is replaced.
 *
 * If it fails, the boot goes on: a wrong name confuses people, but stops nothing.
 */
export const hostname = unit({
  name: "hostname",
  title: "Set the host name",
  requires: [configInjection],
  owns: ["/etc/hostname", "/run/ic-node/etc/hostname"],
  onFailure: "degrade",
  async plan(machine) {
    const { host, layout } = machine;
    const { file: source, isFromHost, conf, malformed } = await readNetworkConfFile(host, layout);
    const name = conf.hostname;
    if (name === undefined) {
      const own = malformed.filter(({ key }) => key === "hostname");
      const todo = isFromHost ? CORRECT_ON_HOST : "correct it there, then: guestos-boot --unit hostname";
      refuseFindings(source, own, { todo });
      return [];
    }
    const file = await planRuntimeFile(machine, layout.runtimeEtc.hostname, layout.etc.hostname, `${name}\n`);
    const kernel = await kernelHostname(host);
    // The file comes first: systemd-hostnamed reads it as soon as it is notified that the kernel's name has changed.
    return kernel === name
      ? file
      : [...file, activate(`set the host name to ${name} (was ${kernel})`, async () => setKernelHostname(host, name))];
  },
});
