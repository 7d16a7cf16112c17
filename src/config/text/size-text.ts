const UNITS = { MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** "512 MiB" and "20 GiB", in bytes; NaN for what is none. */
export function sizeInBytes(text: string): number {
  const [, count, unit] = /^(\d+) (MiB|GiB)$/.exec(text) ?? [];
  return Number(count) * (unit === "GiB" ? UNITS.GiB : UNITS.MiB);
}

/** Whole MiB, in the larger unit where that says it exactly. */
export function sizeText(bytes: number): string {
  return bytes % UNITS.GiB === 0 ? `${bytes / UNITS.GiB} GiB` : `${bytes / UNITS.MiB} MiB`;
}
