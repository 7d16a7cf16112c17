import { type ByteSource, fileSource, limitRate, standardInput } from "../system/files/byte-source.ts";
import { readHeaderFile } from "../system/files/header-file.ts";
import type { Host } from "../system/host.ts";
import { httpSource } from "../system/network/http-source.ts";
import { isLoopback, webAddress, WrongAddressError } from "../system/network/web-address.ts";
import { ExitError } from "../run/exit-error.ts";

interface ImageSourceFlags {
  /** A path, an http(s) address, or "-" for standard input. */
  readonly image: string;
  readonly headerFile?: string;
  /** Bytes a second. */
  readonly limitRate?: number;
}

/**
 * Resolves the source of an image. A wrong argument is refused here, before anything is read.
 *
 * @returns a function that opens the source
 * @throws ExitError for a wrong argument
 */
export function imageSource({ image, headerFile, limitRate: limit }: ImageSourceFlags): (host: Host) => Promise<ByteSource> {
  const open = opener(image, headerFile);
  return async (host) => {
    const source = await open(host);
    return limit === undefined ? source : limitRate(source, limit, host.signal);
  };
}

function opener(image: string, headerFile: string | undefined): (host: Host) => Promise<ByteSource> {
  // Any scheme, and http with a slash too few: a password must not be treated as part of a path, and shown.
  const url = /^(?:https?:|[a-z][a-z\d+.-]*:\/\/)/i.test(image) ? addressOf(image) : undefined;
  if (url === undefined) {
    if (headerFile !== undefined)
      throw new ExitError("usage", {
        code: "header-file-without-server",
        what: "--header-file applies only to an image from a server",
        found: image,
      });
    return async ({ signal }) => (image === "-" ? standardInput(signal) : fileSource(image, signal));
  }
  if (headerFile === undefined) return async ({ signal }) => httpSource(url, signal);
  if (url.protocol !== "https:" && !isLoopback(url)) {
    throw new ExitError("usage", {
      code: "header-file-needs-https",
      what: "--header-file needs https, because http is not encrypted",
      found: url.origin,
      expected: "an https address",
    });
  }
  return async (host) => httpSource(url, host.signal, await readHeaderFile(host, headerFile));
}

function addressOf(image: string): URL {
  try {
    return webAddress(image);
  } catch (error) {
    if (error instanceof WrongAddressError) throw new ExitError("usage", error.problem);
    throw error;
  }
}
