/** How the version of an image compares with the running one. */
export type VersionOrder = "newer" | "same" | "older" | "unknown";

/** Numbers with dots, then optionally -pre.release, then optionally +build (semver.org 2.0.0, with any number of numbers). */
const ORDERED = /^v?(\d{1,9}(?:\.\d{1,9})*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Compares versions in the order of Semantic Versioning. Versions that are not made of numbers have no order, such as the commit hashes
 * that name IC-OS releases. Those are "unknown" unless they are the same text.
 */
export function versionOrder(image: string, running: string): VersionOrder {
  if (image === running) return "same";
  const [a, b] = [ORDERED.exec(image), ORDERED.exec(running)];
  // A number has at most nine digits, so a commit hash of digits alone does not match.
  if (a === null || b === null) return "unknown";
  const difference = compareNumbers(a[1] ?? "", b[1] ?? "") || comparePreReleases(a[2], b[2]);
  return difference > 0 ? "newer" : difference < 0 ? "older" : "same";
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** semver.org 11.3, 11.4: a pre-release comes before its release; of two that begin alike, the shorter one comes first. */
function comparePreReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  const [left, right] = [a.split("."), b.split(".")];
  for (const [index, one] of left.entries()) {
    const other = right[index];
    const difference = other === undefined ? 1 : compareIdentifiers(one, other);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** semver.org 11.4.1 to 11.4.3: numbers come before words and are compared as numbers. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return Number(a) - Number(b);
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
