/**
 * How the host of the virtual machine reads GRUB's environment block. Such a host boots a slot's kernel directly, and takes and advances
 * the boot state itself, in place of GRUB (docs/orchestrator.md). It reads the block as lines of UTF-8, and knows neither GRUB's signature
 * nor its escapes and comments: the first `name = value` in a line counts, up to the next blank or `#`, and the last line of a name.
 */
export interface HostReading {
  /** False where it is not UTF-8: the host then starts no machine. */
  readonly readable: boolean;
  readonly values: ReadonlyMap<string, string>;
}

/** Only the first assignment of a line counts, and it may be anywhere in it. Blanks are those of ASCII. */
const ASSIGNMENT = /(\w+)[\t\v\f\r ]*=[\t\v\f\r ]*([^#\t\v\f\r ]*)/;

export function readAsHost(bytes: Uint8Array): HostReading {
  const text = decoded(bytes);
  if (text === undefined) return { readable: false, values: new Map() };
  const pairs = text.split("\n").flatMap((line) => {
    const [, name, value] = ASSIGNMENT.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return { readable: true, values: new Map(pairs) };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
