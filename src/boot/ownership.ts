/**
 * What an entry of `owns` means, which is one of these:
 *
 *   /etc/ssh          that path and all below it
 *   /etc/*.conf       a pattern (glob(7)): `*` and `?` never stand for a slash; whatever it matches, with all below that
 *   /etc/**           all below /etc, whatever comes behind: some programs take `**` for any number of names
 *   mount:/var        that path alone: what mounts a file system there does not write all that is in it
 *   vg:store          anything else: what has just that name
 */
interface Owned {
  readonly entry: string;
  /** The names on the way; absent for what is no path. */
  readonly segments: readonly string[] | undefined;
  readonly withBelow: boolean;
}

const MOUNT = "mount:";

export function owned(entry: string): Owned {
  const isMount = entry.startsWith(MOUNT);
  const path = isMount ? entry.slice(MOUNT.length) : entry;
  if (!path.startsWith("/")) return { entry, segments: undefined, withBelow: false };
  const segments = path.slice(1).split("/");
  const deep = segments.indexOf("**");
  return { entry, segments: deep === -1 ? segments : segments.slice(0, deep), withBelow: !isMount || deep !== -1 };
}

/** Whether two entries can mean the same thing. In doubt they do: `[…]` counts as any one character. */
export function overlap(one: Owned, other: Owned): boolean {
  const [a, b] = [one.segments, other.segments];
  if (a === undefined || b === undefined) return one.entry === other.entry;
  const [shorter, longer, withBelow] = a.length <= b.length ? [a, b, one.withBelow] : [b, a, other.withBelow];
  if (shorter.length < longer.length && !withBelow) return false;
  return shorter.every((segment, index) => segmentsMeet(segment, longer[index] ?? ""));
}

/** A character, `?` for any one, `*` for any number of them. A backslash takes the meaning from what follows. */
type Token = { readonly character: string } | "?" | "*";

function tokensOf(segment: string): readonly Token[] {
  return (segment.match(/\\.|\[[!^]?\]?[^\]]*\]|./gsu) ?? []).map((text) => {
    if (text === "*" || text === "?") return text;
    if (text.length > 1 && text.startsWith("[")) return "?";
    return { character: text.length > 1 && text.startsWith("\\") ? text.slice(1) : text };
  });
}

const SPECIAL = /[*?[\\]/;

/** Is there a name that both match? A table, not a search: patterns with many stars must not take long. */
function segmentsMeet(one: string, other: string): boolean {
  if (one === other) return true;
  if (!SPECIAL.test(one) && !SPECIAL.test(other)) return false;
  const [a, b] = [tokensOf(one), tokensOf(other)];
  // Of each row: can a from there on, and b from the index on, be the same text? The last row is that of an `a` with nothing left.
  let next = Array.from({ length: b.length + 1 }, (_, index) => b.slice(index).every((token) => token === "*"));
  for (const x of a.toReversed()) {
    const row = [...next].fill(false);
    for (let index = b.length; index >= 0; index--) {
      const y = b[index];
      const ended = next[index] === true;
      const further = y !== undefined && row[index + 1] === true;
      row[index] = x === "*" || y === "*" ? ended || further : y !== undefined && same(x, y) && next[index + 1] === true;
    }
    next = row;
  }
  return next[0] === true;
}

function same(x: Exclude<Token, "*">, y: Exclude<Token, "*">): boolean {
  return x === "?" || y === "?" || x.character === y.character;
}
