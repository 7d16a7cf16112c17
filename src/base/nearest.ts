/** A greater distance is not a typing error any more, and a suggestion would mislead. */
const FARTHEST = 3;

/** The known word that was most likely meant, or `undefined` when none is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > FARTHEST) continue;
    const distance = editDistance(word, candidate);
    if (distance <= FARTHEST && (best === undefined || distance < best.distance)) best = { word: candidate, distance };
  }
  return best?.word;
}

/** What to do about an unknown word. @param otherwise where no known word is close */
export function didYouMean(word: string, known: readonly string[], otherwise: string): string {
  const meant = nearest(word, known);
  return meant === undefined ? otherwise : `did you mean ${meant}?`;
}

/** What was expected in the place of an unknown word. @param otherwise as above; by default the known words */
export function perhaps(word: string, known: readonly string[], otherwise = `one of ${known.join(", ")}`): string {
  const meant = nearest(word, known);
  return meant === undefined ? otherwise : `perhaps ${meant}`;
}

/** Levenshtein distance: the number of letters to insert, remove or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
