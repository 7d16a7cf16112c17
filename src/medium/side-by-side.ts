import { scanGuestosConfig } from "../config/guestos-config.ts";
import { guestosNetwork } from "../config/node-network.ts";
import { NetworkConf, scanNetworkConf } from "../config/network-conf.ts";
import { NnsConf } from "../config/nns-conf.ts";
import { scanConf } from "../config/text/conf.ts";

/** The files of old for which config.json has settings of its own. */
const REPLACED: readonly string[] = ["network.conf", "nns.conf", "backup.conf", "reward.conf"];

/**
 * What a medium says twice: in config.json, which counts, and in the files of old beside it.
 *
 * @returns one sentence for each difference; one in all where there is none
 */
export function sideBySide(config: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const handedOver = config.get("config.json");
  const others = REPLACED.filter((name) => config.has(name));
  if (handedOver === undefined || others.length === 0) return [];
  const read = scanGuestosConfig(handedOver, "config.json");
  const own = guestosNetwork(read).conf;
  const networkConf = config.get("network.conf");
  const nnsConf = config.get("nns.conf");
  const old = networkConf === undefined ? undefined : scanNetworkConf(networkConf, "network.conf").conf;
  const urls = nnsConf === undefined ? undefined : scanConf(nnsConf, "nns.conf", NnsConf, Object.keys(NnsConf.shape)).conf.nns_url;
  const differences = [
    ...(old === undefined
      ? []
      : networkKeys.flatMap((key) =>
          difference(`${key} of network.conf`, text(old[key]), key === "name_servers" ? undefined : text(own[key])),
        )),
    ...(urls === undefined ? [] : difference("nns_url of nns.conf", text(urls), text(read.config.icos_settings.nns_urls))),
  ];
  return [`config.json: it counts, and ${others.join(", ")} beside it ${others.length === 1 ? "does" : "do"} not`, ...differences];
}

const networkKeys = Object.keys(NetworkConf.shape).filter((key): key is keyof NetworkConf => key in NetworkConf.shape);

function text(value: string | readonly string[] | undefined): string {
  return value === undefined || value.length === 0 ? "nothing" : [value].flat().join(" ");
}

function difference(what: string, old: string, own: string | undefined): readonly string[] {
  return own === undefined || old === own || old === "nothing" ? [] : [`${what} is ${old}, and config.json has ${own}, which counts`];
}
