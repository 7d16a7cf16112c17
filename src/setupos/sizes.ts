const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes for people, as lsblk rounds them: "3.5 TiB", "512 GiB". */
export function sizeText(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 0), UNITS.length - 1);
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${UNITS[power]}`;
}
