/**
 * The digest of the packet filter's rules right after this run has loaded them. The plan that follows at once takes it from here, instead
 * of running nft again. It is valid for that one plan, and is not kept.
 */
export interface FreshRules {
  /** @param digest of the rules in force, just read from the kernel */
  readonly remember: (digest: string) => void;
  /** Returns the digest once; `undefined` means that the kernel has to be asked. */
  readonly take: () => string | undefined;
}

export function freshRules(): FreshRules {
  let fresh: string | undefined;
  return {
    remember(digest) {
      fresh = digest;
    },
    take() {
      const digest = fresh;
      fresh = undefined;
      return digest;
    },
  };
}
