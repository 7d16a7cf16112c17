/** The linter's rules that are this project's own. */
import { foreignWords } from "./foreign-words.ts";
import { pathsOfUnits } from "./paths-of-units.ts";

export default {
  meta: { name: "guestos" },
  rules: { "no-absolute-path": { create: pathsOfUnits }, "foreign-words": { create: foreignWords } },
};
