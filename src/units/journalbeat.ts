import { dirname, join } from "node:path";
import { type Action, activate } from "../boot/unit.ts";
import { readJournalbeatConf } from "../config/log-shipping-conf.ts";
import { runJob, unitState } from "../system/systemd.ts";
import { configInjection } from "./config-injection.ts";
import { type Machine, unit } from "./machine.ts";

/**
 * Afterwards, if journalbeat.conf names hosts, the journal is shipped to the first of them; if it names none, nothing runs.
 *
 * Journalbeat itself is discontinued. The shipper is the one that Debian keeps up, systemd-journal-upload
 * (systemd-journal-remote): it sends the journal in its own format, over HTTPS unless the host says http://, port 19532
 * unless it says another, to one host; further hosts are ignored with a note. It has no tags; journalbeat_tags is ignored
 * with a note too.
 *
 * Late, because it starts a service. Degrades: a node without log shipping is a working node. There are no conflicts.
 */
export const journalbeat = unit({
  name: "journalbeat",
  title: "Ship logs",
  stage: "late",
  requires: [configInjection],
  onFailure: "degrade",
  timeout: 120_000,
  async plan(machine) {
    const { host, layout } = machine;
    const { hosts, tags } = await readJournalbeatConf(host, layout);
    const [first, ...others] = hosts;
    const present = await host.readText(layout.journalUpload);
    if (first === undefined) return present === undefined ? [] : [stopShipping(machine)];
    const wanted = shipperConfig(first);
    const isAsWanted = present === wanted && (await host.readText(startedPath(machine))) === wanted;
    if (isAsWanted && (await unitState(host, SHIPPER)).active === "active") return [];
    return [
      activate(`ship the journal to ${first} by ${SHIPPER}`, async () => {
        if (others.length > 0) machine.note(`logs go to ${first} alone: ${SHIPPER} knows one host, ${others.join(" ")} ignored`);
        if (tags.length > 0) machine.note(`journalbeat_tags ignored: ${SHIPPER} knows no tags`);
        await writePublic(machine, layout.journalUpload, wanted);
        await runJob(host, "restart", SHIPPER);
        await writePublic(machine, startedPath(machine), wanted);
      }),
    ];
  },
});

const SHIPPER = "systemd-journal-upload.service";

/** A drop-in of journal-upload.conf(5). */
function shipperConfig(host: string): string {
  return `# Written by guestos-boot at every boot; edit journalbeat.conf on the config partition instead.\n[Upload]\nURL=${host}\n`;
}

/** With which configuration the shipper was started last: it reads its files only then. */
function startedPath({ layout }: Machine): string {
  return join(layout.run, "journal-upload.started");
}

/** Hosts were taken out of journalbeat.conf while the shipper ran: later boots would start nothing, so stop it now. */
function stopShipping(machine: Machine): Action {
  const { host, layout } = machine;
  return activate(`stop ${SHIPPER}: journalbeat.conf names no host`, async () => {
    await runJob(host, "stop", SHIPPER);
    await host.remove(startedPath(machine));
    await host.remove(layout.journalUpload);
  });
}

async function writePublic({ host }: Machine, path: string, content: string): Promise<void> {
  await host.makeFolder(dirname(path), { mode: 0o755 });
  await host.writeFile(path, content, { mode: 0o644 });
}
