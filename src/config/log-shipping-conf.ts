import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { matching, parseConf, readConf, words } from "./text/conf.ts";
import { readEndpoint } from "./values/host-name.ts";
import type { Layout } from "./layout/layout.ts";

/** The destination of the node's logs. */
export interface LogShippingConf {
  /** `host`, `host:port`, with or without http:// or https://, as `readEndpoint` returns them. Empty: nothing is shipped. */
  readonly hosts: readonly string[];
  readonly tags: readonly string[];
}

const hosts = z._default(words("hosts, as in logs.example.org:443, separated by blanks", readEndpoint), []);
/** Tags go into a YAML file and into search queries. So they contain nothing that either would read as more than a word. */
const tags = z._default(
  words("tags of letters, digits, ., _ and -, at most 64 characters each, separated by blanks", matching(/^[\w.-]{1,64}$/)),
  [],
);

const JournalbeatConf = z.object({ journalbeat_hosts: hosts, journalbeat_tags: tags });
const FilebeatConf = z.object({ elasticsearch_hosts: hosts, elasticsearch_tags: tags });

/** @throws ProblemError naming every mistake with its place */
export function parseJournalbeatConf(content: Uint8Array, file: string): LogShippingConf {
  const conf = parseConf(content, file, JournalbeatConf, Object.keys(JournalbeatConf.shape));
  return { hosts: conf.journalbeat_hosts, tags: conf.journalbeat_tags };
}

/** @throws ProblemError naming every mistake with its place */
export function parseFilebeatConf(content: Uint8Array, file: string): LogShippingConf {
  const conf = parseConf(content, file, FilebeatConf, Object.keys(FilebeatConf.shape));
  return { hosts: conf.elasticsearch_hosts, tags: conf.elasticsearch_tags };
}

/** journalbeat.conf of this node; no hosts when there is none. @throws ProblemError */
export async function readJournalbeatConf(host: Host, layout: Layout): Promise<LogShippingConf> {
  return (await readConf(host, layout.config.injected.journalbeat, parseJournalbeatConf)) ?? { hosts: [], tags: [] };
}

/** filebeat.conf of this node; no hosts when there is none. @throws ProblemError */
export async function readFilebeatConf(host: Host, layout: Layout): Promise<LogShippingConf> {
  return (await readConf(host, layout.config.injected.filebeat, parseFilebeatConf)) ?? { hosts: [], tags: [] };
}
