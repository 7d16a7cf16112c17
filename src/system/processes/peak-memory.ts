/** The peak resident memory of this process so far, in bytes, without its children (getrusage(2), ru_maxrss). */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
