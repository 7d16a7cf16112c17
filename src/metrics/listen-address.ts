import { isIP } from "node:net";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `PORT`, `ADDRESS:PORT` or `[IPV6]:PORT`. A port alone is that of 127.0.0.1: access from other machines takes an explicit address.
 *
 * @returns `undefined` for any other text. Host names are refused, because their resolution is up to another system
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]:|([^:[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  if (plain !== undefined) return isIP(plain) === 4 ? { host: plain, port } : undefined;
  return { host: "127.0.0.1", port };
}
