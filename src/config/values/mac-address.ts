/**
 * A MAC address of 48 bits in its canonical form: lower case, with colons. Makers print it with colons, with hyphens, or as digits alone.
 *
 * @returns `undefined` when it is not one
 */
export function readMacAddress(value: string): string | undefined {
  if (!/^[\da-f]{2}([:-]?)[\da-f]{2}(?:\1[\da-f]{2}){4}$/i.test(value)) return undefined;
  return value
    .toLowerCase()
    .replaceAll(/[:-]/g, "")
    .replaceAll(/..(?=.)/g, "$&:");
}

/**
 * As `readMacAddress`, of one network card: not the address of a group (IEEE 802, the lowest bit of the first byte), and not the zeros that a
 * BMC without an address shows.
 */
export function readCardAddress(value: string): string | undefined {
  const mac = readMacAddress(value);
  return mac === undefined || mac === "00:00:00:00:00:00" || Number.parseInt(mac.slice(0, 2), 16) % 2 === 1 ? undefined : mac;
}
