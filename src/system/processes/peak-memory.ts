/** The most memory that this process has had resident so far, in bytes, its children not counted (getrusage(2), ru_maxrss). */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
