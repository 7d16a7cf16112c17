import { dirname } from "node:path";
import { type Action, activate, conflict, type Plan } from "../../boot/unit.ts";
import { filebeatYaml } from "../../config/filebeat-yaml.ts";
import { journalUploadConf, uploadUrl } from "../../config/journal-upload-conf.ts";
import { type LogShippingConf, readFilebeatConf, readJournalbeatConf } from "../../config/log-shipping-conf.ts";
import { addToJournal } from "../../system/systemd/journal.ts";
import { DiedError, runJob, unitState } from "../../system/systemd/systemd.ts";
import { configInjection } from "../injection/config-injection.ts";
import { type Machine, unit } from "../machine.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";

/**
 * Afterwards, if filebeat.conf or journalbeat.conf names hosts, the journal is shipped to them. If neither does, no shipper runs.
 *
 * Journalbeat itself is discontinued. If the image has its successor, Filebeat ships to all hosts, in Elasticsearch's protocol, with the
 * tags on every entry. Otherwise systemd-journal-upload, which Debian maintains, ships in the journal's own format. It ships to the first
 * host of journalbeat.conf alone, over HTTPS unless that host is written with http://. It has no tags: they are an entry of the journal
 * itself (GUESTOS_TAG=), which a receiver can match by machine and boot id.
 *
 * It requires the bus, because it starts a service, and the injected configuration. If it fails, the boot is degraded: a node without log
 * shipping still works. A conflict means that the image cannot do what is configured: it has no such shipper, or no certificate by which to
 * verify the receiver.
 */
export const journalbeat = unit({
  name: "journalbeat",
  title: "Ship logs",
  requires: [configInjection, systemBus],
  owns: [
    "/run/systemd/journal-upload.conf.d/10-guestos-boot.conf",
    "/run/ic-node/filebeat/filebeat.yml",
    "/run/guestos-boot/log-shipper.started",
  ],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan(machine) {
    const conf = await wantedShipping(machine);
    if (conf === undefined) return stopShipping(machine);
    const { host } = machine;
    const hasFilebeat = (await unitState(host, FILEBEAT)).load === "loaded";
    return hasFilebeat ? planFilebeat(machine, conf) : planUpload(machine, conf);
  },
});

const UPLOAD = "systemd-journal-upload.service";
const FILEBEAT = "filebeat.service";

interface Shipping extends LogShippingConf {
  readonly source: "filebeat.conf" | "journalbeat.conf";
}

/** filebeat.conf has precedence over journalbeat.conf, which is older. */
async function wantedShipping({ host, layout }: Machine): Promise<Shipping | undefined> {
  const filebeat = await readFilebeatConf(host, layout);
  if (filebeat.hosts.length > 0) return { ...filebeat, source: "filebeat.conf" };
  const journal = await readJournalbeatConf(host, layout);
  return journal.hosts.length > 0 ? { ...journal, source: "journalbeat.conf" } : undefined;
}

async function planFilebeat(machine: Machine, conf: Shipping): Promise<Plan> {
  return planService(machine, {
    service: FILEBEAT,
    path: machine.layout.filebeat,
    content: await filebeatYaml(conf),
    description: `ship the journal to ${conf.hosts.join(" ")} by ${FILEBEAT}`,
    notes: [],
  });
}

async function planUpload(machine: Machine, { source, hosts: [first = "", ...others], tags }: Shipping): Promise<Plan> {
  const { host, layout } = machine;
  if (source === "filebeat.conf") {
    return conflict({
      code: "elasticsearch-not-supported",
      what: "filebeat.conf asks for Elasticsearch, and this image has no program that sends to it",
      found: `no ${FILEBEAT}`,
      expected: "an image with Filebeat, or no elasticsearch_hosts",
      todo: "to send the journal to a systemd-journal-remote, name it in journalbeat.conf",
    });
  }
  const url = uploadUrl(first);
  const { trusted: places, key, certificate } = layout.journalUploadTls;
  const trusted = url.startsWith("https:") ? await firstThere(machine, places) : undefined;
  // The first file that exists decides, even if it is empty: the next one would trust more authorities than intended.
  if (url.startsWith("https:") && (trusted === undefined || (await host.stat(trusted))?.size === 0)) {
    return conflict({
      code: "server-not-verifiable",
      what: `cannot verify the identity of ${url}`,
      found: trusted === undefined ? "no certificate to verify it with" : `${trusted}, an empty file`,
      expected: `its certificate, or its authority's, at ${places.join(" or ")}`,
      todo: "put it into the image; or use http:// where the network to the receiver is trusted",
    });
  }
  const hasOwn = (await host.stat(key)) !== undefined && (await host.stat(certificate)) !== undefined;
  const actions = await planService(machine, {
    service: UPLOAD,
    path: layout.journalUpload,
    content: journalUploadConf(url, { trusted, hasOwn }),
    description: `ship the journal to ${url} by ${UPLOAD}`,
    notes: others.length === 0 ? [] : [`logs go to ${first} alone: ${UPLOAD} supports one host; ${others.join(" ")} ignored`],
  });
  return actions.length === 0 || tags.length === 0 ? actions : [...actions, tell(machine, url, tags)];
}

/** The entry puts the tags into the shipped stream, once for each time that this program starts the shipper. */
function tell({ host }: Machine, url: string, tags: readonly string[]): Action {
  return activate(`write the tags ${tags.join(" ")} to the journal`, async () =>
    addToJournal(host, {
      MESSAGE: `the journal of this node is shipped to ${url}, tags: ${tags.join(" ")}`,
      PRIORITY: "6",
      SYSLOG_IDENTIFIER: "guestos-boot",
      GUESTOS_UNIT: "journalbeat",
      GUESTOS_EVENT: "tags",
      GUESTOS_TAG: tags,
    }),
  );
}

interface ShipperService {
  readonly service: string;
  /** Its configuration file; `content` is the wanted text. */
  readonly path: string;
  readonly content: string;
  readonly description: string;
  readonly notes: readonly string[];
}

/** "activating": systemd is starting it, perhaps again. */
const STARTED: readonly string[] = ["active", "activating"];

async function planService(machine: Machine, shipper: ShipperService): Promise<readonly Action[]> {
  const { host } = machine;
  const { service, path, content, description, notes } = shipper;
  const isAsWanted = (await host.readText(path)) === content && (await host.readText(machine.layout.runFiles.shipperStarted)) === content;
  if (isAsWanted && STARTED.includes((await unitState(host, service)).active)) return [];
  return [
    activate(description, async () => {
      for (const text of notes) machine.note(text);
      await writePublic(machine, path, content);
      await runJob(host, "restart", service).catch((error: unknown) => {
        // There is no network yet, or no receiver: systemd restarts it without limit. Its last output is noted for the operator to judge.
        if (!(error instanceof DiedError) || !error.restarts) throw error;
        machine.note(`${service} ended and will be started again: ${error.problem.found ?? ""}`);
      });
      await writePublic(machine, machine.layout.runFiles.shipperStarted, content);
    }),
  ];
}

async function firstThere({ host }: Machine, places: readonly string[]): Promise<string | undefined> {
  for (const place of places) if ((await host.stat(place)) !== undefined) return place;
  return undefined;
}

/** The hosts were removed from the configuration while a shipper ran. Later boots start none, so the running one is stopped. */
async function stopShipping(machine: Machine): Promise<readonly Action[]> {
  const { host, layout } = machine;
  const actions: Action[] = [];
  for (const [service, path] of [
    [FILEBEAT, layout.filebeat],
    [UPLOAD, layout.journalUpload],
  ] as const) {
    if ((await host.readText(path)) === undefined) continue;
    actions.push(
      activate(`stop ${service}: no host is configured`, async () => {
        await runJob(host, "stop", service);
        await host.remove(machine.layout.runFiles.shipperStarted);
        await host.remove(path);
      }),
    );
  }
  return actions;
}

async function writePublic({ host }: Machine, path: string, content: string): Promise<void> {
  await host.makeFolder(dirname(path), { mode: 0o755 });
  await host.writeFile(path, content, { mode: 0o644 });
}
