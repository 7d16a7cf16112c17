import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** No order against anything and no default dependencies: it starts first, holds up nothing, and no cycle can arise. */
const unit = `[Unit]
Description=Lab shell (given by the host for testing, not part of the image)
DefaultDependencies=no
IgnoreOnIsolate=yes
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/bash /run/credentials/@system/lab.agent
Restart=always
RestartSec=1
StandardInput=null
StandardOutput=null
StandardError=append:/run/lab-shell.log
OOMScoreAdjust=-900
`;

const dropIn = "[Unit]\nWants=lab-shell.service\n";

/**
 * The system credentials that put a root shell into any image with systemd 256 or later, unchanged
 * (systemd.extra-unit.* and systemd.unit-dropin.*, systemd-debug-generator(8)).
 *
 * sysinit.target is part of every boot but one into emergency mode; it wants the shell, and does not wait for it.
 */
export async function labShellCredentials(): Promise<Readonly<Record<string, string>>> {
  return {
    "lab.agent": await readFile(join(import.meta.dirname, "agent.bash"), "utf8"),
    "systemd.extra-unit.lab-shell.service": unit,
    "systemd.unit-dropin.sysinit.target": dropIn,
  };
}
