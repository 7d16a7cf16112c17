import { type UnitState, unitStates } from "../system/systemd/systemd.ts";
import { type Check, type Finding, notice, wrong } from "./check.ts";

/**
 * The units that the package installs, extends, or enables (systemd below etc/), and those that it starts. One that does not exist is not a
 * fault.
 */
export const SERVICES: readonly string[] = [
  "guestos-boot.service",
  "guestos-boot-late.service",
  "guestos-boot-late.socket",
  "guestos-boot.target",
  "guestos-go-back.service",
  "guestos-trial.timer",
  "guestos-confirm.service",
  "guestos-boot-success.service",
  "guestos-boot-failure.service",
  "guestos-boot-failure.timer",
  "guestos-monitor.service",
  "guestos-network.path",
  "guestos-network.target",
  "nftables.service",
  "node_exporter.service",
  "ssh.service",
  "systemd-networkd.service",
  "systemd-udev-trigger.service",
  "systemd-resolved.service",
  "systemd-logind.service",
  "systemd-journal-flush.service",
  "systemd-journal-upload.service",
  "systemd-journal-gatewayd.socket",
  "systemd-journal-gatewayd.service",
  "filebeat.service",
  "ic-replica.service",
  "guestos-vsock.socket",
  "guestos-vsock-notice.service",
  "guestos-setup-screen.service",
  "chrony.service",
  "guestos.service",
  "guestos-hardware.service",
  "guestos-hardware.timer",
  "libvirtd.service",
  "nginx.service",
  "danted.service",
  "boundary-node-control-plane.service",
  "ic-router-control-plane-watcher.service",
  "icx-proxy.service",
];

export const servicesCheck: Check = {
  name: "services",
  title: "none of our systemd units has failed, and guestos-boot.target was reached",
  seen: "systemctl list-units --failed",
  async inspect(_, host) {
    const states = await unitStates(host, SERVICES);
    return { fact: "guestos-boot.target is reached, nothing has failed", findings: judgeServices(states) };
  },
};

const STAGES = ["guestos-boot.service", "guestos-boot-late.service"];
const TARGET = "guestos-boot.target";

export function judgeServices(states: ReadonlyMap<string, UnitState>): readonly Finding[] {
  const failed = [...states].filter(([, { active }]) => active === "failed");
  const findings = failed.flatMap(([name]) =>
    wrong(`systemctl status ${name}`, {
      code: "service-failed",
      what: `${name} has failed`,
      todo: STAGES.includes(name)
        ? `guestos-boot status says why; when that is repaired: systemctl start ${TARGET}`
        : `journalctl -b -u ${name} says why; then: systemctl restart ${name}`,
    }),
  );
  const active = states.get(TARGET)?.active;
  if (active === "active" || STAGES.some((name) => states.get(name)?.active === "failed")) return findings;
  const isUnderWay = STAGES.some((name) => states.get(name)?.active === "activating");
  const seen = `systemctl list-dependencies ${TARGET}`;
  return [
    ...findings,
    ...(isUnderWay
      ? notice(seen, {
          code: "boot-still-running",
          what: "the boot chain is still running",
          todo: "guestos-boot status --watch follows it; then check again",
        })
      : wrong(seen, {
          code: "target-not-reached",
          what: `${TARGET} is not reached`,
          found: active ?? "unknown",
          expected: "active",
          todo: `systemctl start ${TARGET}`,
        })),
  ];
}
