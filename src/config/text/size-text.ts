const UNITS = { MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** "512 MiB" or "20 GiB" in bytes; NaN for any other text. */
export function sizeInBytes(text: string): number {
  const [, count, unit] = /^(\d+) (MiB|GiB)$/.exec(text) ?? [];
  return Number(count) * (unit === "GiB" ? UNITS.GiB : UNITS.MiB);
}

/** To the nearest MiB. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / UNITS.MiB)} MiB`;
}

/** The size in GiB where that is exact, else in MiB. */
export function sizeText(bytes: number): string {
  return bytes % UNITS.GiB === 0 ? `${bytes / UNITS.GiB} GiB` : `${bytes / UNITS.MiB} MiB`;
}
