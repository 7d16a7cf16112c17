/**
 * What the kernel showed of the packet filter right after this run has loaded it: the plan that follows at once takes it
 * from here, instead of asking nft the same again. It is good for that one plan, and not kept.
 */
export interface FreshRules {
  /** Digest of the rules in force, as it was read from the kernel just now. */
  readonly remember: (digest: string) => void;
  /** The digest, once; `undefined` when the kernel has to be asked. */
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
