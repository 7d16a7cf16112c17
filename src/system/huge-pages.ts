import type { Host } from "./host.ts";

/** Bytes of a huge page of x86-64, of the kind that the kernel can make at any time. */
export const HUGE_PAGE = 2 * 1024 * 1024;

/** The kernel's Documentation/admin-guide/mm/hugetlbpage.rst. */
const FOLDER = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const RESERVED = `${FOLDER}/nr_hugepages`;

export interface HugePages {
  /** How many there are: memory that nothing else can use. */
  readonly reserved: number;
  /** How many of them no program uses. */
  readonly free: number;
}

/** `undefined` where the kernel has no huge pages. */
export async function readHugePages(host: Host): Promise<HugePages | undefined> {
  const [reserved, free] = await Promise.all([host.readText(RESERVED), host.readText(`${FOLDER}/free_hugepages`)]);
  return reserved === undefined || free === undefined ? undefined : { reserved: Number(reserved), free: Number(free) };
}

/**
 * Tells the kernel how many huge pages there shall be, until the next boot. It makes as many as it finds memory for, without an error; one
 * that a program uses goes when that program ends.
 */
export async function reserveHugePages(host: Host, pages: number): Promise<void> {
  await host.writeInPlace(RESERVED, String(pages));
}

/** Bytes that programs could still use without swapping (proc_meminfo(5), MemAvailable). */
export async function availableMemory(host: Host): Promise<number | undefined> {
  const kibibytes = /^MemAvailable:\s+(\d{1,12}) kB$/m.exec((await host.readText("/proc/meminfo")) ?? "")?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
