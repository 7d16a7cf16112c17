import { ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import * as z from "../base/schema.ts";
import { readWebUrl } from "./nns-conf.ts";
import { faultOf, type Fault, needed, plain, section, setting, text, whole } from "./text/json-settings.ts";
import { isPrefix } from "./values/deterministic-address.ts";
import { readHostAddress, readInterfaceAddress } from "./values/ip-address.ts";
import { checkPrivateKey, checkPublicKey } from "./values/pem.ts";

// The values of config.json that are more than one word or number (guestos-settings.ts).

export const ipv4Address = text((found) => readHostAddress(found, "ipv4"));
export const ipv6Address = text((found) => readHostAddress(found, "ipv6"));
const ipv6Interface = text((found) => readInterfaceAddress(found, "ipv6"));

const IPV6_GATEWAY = setting("an IPv6 address, as in 2001:db8::1 or fe80::1", ipv6Address, null);

/** The object with the settings of a choice, and the one with its name alone. */
const CHOICE = 2;

/** Static: router advertisements are off. */
const Fixed = section({
  address: needed("an IPv6 address with prefix length, as in 2001:db8::17/64", ipv6Interface, CHOICE),
  gateway: IPV6_GATEWAY,
});

/** Static: the address follows from `mgmt_mac` and `deployment_environment`. */
const Deterministic = section({
  prefix: needed("the first 64 bits of a network, as in 2001:db8:0:17", plain(isPrefix), CHOICE),
  /** An interface identifier has 64 bits (RFC 4291, 2.5.1). */
  prefix_length: setting("64", whole(64, 64), 64),
  gateway: IPV6_GATEWAY,
});

type Ipv6Config =
  | ({ readonly kind: "Fixed" } & z.infer<typeof Fixed>)
  | ({ readonly kind: "Deterministic" } & z.infer<typeof Deterministic>)
  /** Automatic. */
  | { readonly kind: "RouterAdvertisement" }
  /** Of a later version. */
  | { readonly kind: "Unknown" };

/** A word, or an object with one name, as the host's serialiser writes a choice. */
export const Ipv6Config = z.pipe(
  z.optional(z.unknown()),
  z.transform((found, { issues }): Ipv6Config => {
    if (found === undefined || found === null || found === "" || found === "RouterAdvertisement") return { kind: "RouterAdvertisement" };
    if (typeof found === "string") return { kind: "Unknown" };
    const entries: readonly (readonly [string, unknown])[] = Object.entries(object(found) ?? {});
    const [entry, ...more] = entries;
    if (entry === undefined || more.length > 0) {
      issues.push({ code: "custom", message: '"RouterAdvertisement", or an object with Fixed or Deterministic in it', input: found });
      return z.NEVER;
    }
    const [kind, content] = entry;
    const named = <T extends object>(schema: z.ZodMiniType<T>): T => {
      const parsed = z.safeParse(schema, content);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) {
        const at = { path: [kind, ...issue.path], input: content };
        if (issue.code === "unrecognized_keys") issues.push({ code: issue.code, keys: issue.keys, ...at, input: {} });
        else issues.push({ code: "custom", message: issue.message, params: faultOf(issue), ...at });
      }
      return z.NEVER;
    };
    if (kind === "Fixed") return { kind, ...named(Fixed) };
    return kind === "Deterministic" ? { kind, ...named(Deterministic) } : { kind: "Unknown" };
  }),
);

/** The network of today has four. Each wrong one costs a pass over the whole file. */
const MOST_URLS = 64;

/** A list, or one text. Each text may hold several URLs with commas between them: older hosts wrote a list of one such text. */
export const NnsUrls = z.pipe(
  z.optional(z.unknown()),
  z.transform((found, { issues }): readonly string[] => {
    const urls = new Set<string>();
    const partsOf = (element: unknown): readonly string[] =>
      typeof element === "string" ? element.split(/[ ,]+/).filter((part) => part !== "") : [];
    const elements: readonly unknown[] = Array.isArray(found) ? found : [found];
    if (elements.length > MOST_URLS || elements.flatMap(partsOf).length > MOST_URLS) {
      issues.push({ code: "custom", message: `at most ${MOST_URLS} URLs`, input: found });
      return z.NEVER;
    }
    const read = (element: unknown, path: PropertyKey[]): void => {
      const parts = partsOf(element);
      const [wrong] = typeof element === "string" ? parts.filter((part) => readWebUrl(part) === undefined) : [undefined];
      for (const part of parts) urls.add(readWebUrl(part) ?? "");
      if (typeof element === "string" && wrong === undefined) return;
      const fault: Fault = wrong === undefined ? { rest: "" } : { part: wrong, rest: parts.filter((part) => part !== wrong).join(",") };
      issues.push({ code: "custom", message: "http:// or https:// URLs without a user", input: element, path, params: fault });
    };
    if (Array.isArray(found)) for (const [index, element] of elements.entries()) read(element, [index]);
    else if (found !== undefined && found !== null) read(found, []);
    return [...urls];
  }),
);

export const OperatorKey = setting(
  "one PEM block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY, not encrypted",
  (found) => {
    const key = typeof found === "string" ? new Secret(Buffer.from(pemText(found))) : undefined;
    return key !== undefined && isAccepted(() => checkPrivateKey(key, "")) ? key : undefined;
  },
  null,
  { secret: true },
);

export const PublicKey = setting(
  "one PEM block PUBLIC KEY",
  text((found) => (isAccepted(() => checkPublicKey(Buffer.from(pemText(found)), "")) ? pemText(found) : undefined)),
  null,
);

export function object(found: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof found === "object" && !Array.isArray(found) ? { ...found } : undefined;
}

/** A PEM text as a file of its own, as configurations hold it. */
export function pemText(pem: string): string {
  return `${pem.replaceAll("\r\n", "\n").trim()}\n`;
}

function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}
