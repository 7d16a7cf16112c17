/**
 * The meaning of an entry of `owns`, which is one of these:
 *
 *   /etc/ssh          that path and everything below it
 *   /etc/*.conf       a pattern (glob(7)): `*` and `?` never match a slash; every path that it matches, and everything below it
 *   /etc/**           everything below /etc, whatever follows: some programs take `**` for any number of names
 *   mount:/var        that path alone: a unit that mounts a file system there does not write all of its content
 *   vg:store          anything else: the object of exactly that name
 */
interface Owned {
  readonly entry: string;
  /** The path's components; absent for an entry that is not a path. */
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

/** Whether two entries can name the same object. In doubt they do: `[…]` counts as any one character. */
export function overlap(one: Owned, other: Owned): boolean {
  const [a, b] = [one.segments, other.segments];
  if (a === undefined || b === undefined) return one.entry === other.entry;
  const [shorter, longer, withBelow] = a.length <= b.length ? [a, b, one.withBelow] : [b, a, other.withBelow];
  if (shorter.length < longer.length && !withBelow) return false;
  return shorter.every((segment, index) => segmentsMeet(segment, longer[index] ?? ""));
}

/** A character, `?` for any one character, `*` for any number of them. A backslash makes the next character literal. */
type Token = { readonly character: string } | "?" | "*";

function tokensOf(segment: string): readonly Token[] {
  return (segment.match(/\\.|\[[!^]?\]?[^\]]*\]|./gsu) ?? []).map((text) => {
    if (text === "*" || text === "?") return text;
    if (text.length > 1 && text.startsWith("[")) return "?";
    return { character: text.length > 1 && text.startsWith("\\") ? text.slice(1) : text };
  });
}

const SPECIAL = /[*?[\\]/;

/** Whether a name exists that both patterns match. A table, not a backtracking search: patterns with many stars must not take long. */
function segmentsMeet(one: string, other: string): boolean {
  if (one === other) return true;
  if (!SPECIAL.test(one) && !SPECIAL.test(other)) return false;
  const [a, b] = [tokensOf(one), tokensOf(other)];
  // For each row: can `a` from that token on, and `b` from the index on, match the same text? The last row is that of an empty rest of `a`.
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
