/** The parts of an endpoint (`readEndpoint`). */
export interface Endpoint {
  readonly scheme: "http" | "https";
  /** As in a URL: an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
}

/** The parts of an endpoint in its canonical form. Missing parts default to https and the given port. */
export function parseEndpoint(endpoint: string, defaultPort: number): Endpoint {
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*)$/.exec(endpoint) ?? [];
  const [, host = rest, port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(rest) ?? [];
  return { scheme: scheme === "http" ? "http" : "https", host, port: port === undefined ? defaultPort : Number(port) };
}

/** `https://logs.example.org:19532` */
export function endpointUrl({ scheme, host, port }: Endpoint): string {
  return `${scheme}://${host}:${port}`;
}
