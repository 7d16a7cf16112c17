import type { UnitResult } from "./record.ts";

export function succeeded(result: UnitResult): boolean {
  return result.kind === "unchanged" || result.kind === "changed";
}

/** Whether the units that require this one can rely on it: it succeeded, or did all but a part of its work. */
export function stands(result: UnitResult): boolean {
  return succeeded(result) || (result.kind === "degraded" && result.partial === true);
}
