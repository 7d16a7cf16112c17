import type { Layout } from "../config/layout/layout.ts";

/** Files of the program's own. */
export function paths({ runFiles }: Layout): Layout["runFiles"] {
  return runFiles;
}
