import { endpointUrl, parseEndpoint } from "./values/endpoint.ts";
import type { LogShippingConf } from "./log-shipping-conf.ts";

/** Elasticsearch's own port, which the beats assume as well. */
const PORT = 9200;

/**
 * The configuration of a Filebeat that ships the whole journal, as Journalbeat did before it (Filebeat reference, "Journald input" and
 * "Configure the Elasticsearch output"). Hosts take turns; each entry carries the tags.
 */
export async function filebeatYaml({ hosts, tags }: LogShippingConf): Promise<string> {
  // Loaded only here: few nodes ship by Filebeat.
  const { stringify } = await import("yaml");
  const settings = {
    "filebeat.inputs": [{ type: "journald", id: "journal", seek: "head" }],
    "output.elasticsearch": { hosts: hosts.map((host) => endpointUrl(parseEndpoint(host, PORT))) },
    ...(tags.length === 0 ? {} : { tags }),
    // Filebeat's own messages go to the journal, which it ships. Only warnings and worse, or it would ship its own output without end.
    "logging.level": "warning",
    "logging.to_files": false,
  };
  // Without a width: a long host name must not be folded. Every text is in quotes, so that no reader takes a tag for a number or a "no".
  return `# Written by guestos-boot; edit filebeat.conf on the config partition instead.\n${stringify(settings, { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" })}`;
}
