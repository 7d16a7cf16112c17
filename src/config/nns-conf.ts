import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { parseConf, readConf, words } from "./text/conf.ts";
import type { Layout } from "./layout/layout.ts";

/** The address of the network's own registry when none is configured. */
const DEFAULT_NNS_URL = "http://127.0.0.1:8080";

const urls = words("http:// or https:// URLs without a user, separated by blanks or commas", readWebUrl, /[ ,]+/);
export const NnsConf = z.object({ nns_url: z._default(urls, [DEFAULT_NNS_URL]) });
export type NnsConf = z.infer<typeof NnsConf>;

/** @throws ProblemError naming every mistake with its place */
export function parseNnsConf(content: Uint8Array, file: string): NnsConf {
  return parseConf(content, file, NnsConf, Object.keys(NnsConf.shape));
}

/** Settings that are allowed but seldom intended. @returns one sentence each. @throws ProblemError naming every mistake with its place */
export function nnsConfWarnings(content: Uint8Array, file: string): readonly string[] {
  const { nns_url } = parseConf(content, file, z.object({ nns_url: z.optional(urls) }), Object.keys(NnsConf.shape));
  return nns_url === undefined ? [`nns_url has no value: the node uses ${DEFAULT_NNS_URL}, itself, as the network's registry`] : [];
}

/** nns.conf of this node; the default when there is none. @throws ProblemError */
export async function readNnsConf(host: Host, layout: Layout): Promise<NnsConf> {
  return (await readConf(host, layout.config.injected.nns, parseNnsConf)) ?? NnsConf.parse({});
}

/** The node software copies the value into its own configuration unchanged. So no character that could end a string there. */
const PLAIN_URL = /^https?:\/\/[A-Za-z0-9[\]][A-Za-z0-9[\]:./?%&=_~+-]*$/;

/** A URL as its standard serialises it (url.spec.whatwg.org), without the slash where only that follows the host. */
export function readWebUrl(value: string): string | undefined {
  if (!PLAIN_URL.test(value) || !URL.canParse(value)) return undefined;
  const { username, password, hostname, origin, pathname, search, href } = new URL(value);
  const text = pathname === "/" && search === "" ? origin : href;
  return username === "" && password === "" && hostname !== "" && PLAIN_URL.test(text) ? text : undefined;
}
