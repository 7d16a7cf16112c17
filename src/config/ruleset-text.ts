import { refuseFindings } from "../base/finding.ts";
import { quoted } from "../base/quoted.ts";
import { textLines } from "./text/text-lines.ts";

/**
 * Checks an injected nftables.conf as far as it can be checked without the kernel: small, text, and no `include`, by
 * which a medium could have nft open any file of the node (nft(8), "INCLUDE FILES"). Its syntax is nft's to judge, before it is loaded.
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkRulesetText(content: Uint8Array, file: string): void {
  const { lines, findings } = textLines(content, file, { tabs: true });
  const includes = lines.flatMap(({ text, number: line }) => {
    const at = text.replace(/#.*$/, "").search(/\binclude\s*["']/);
    return at === -1
      ? []
      : [
          {
            line,
            column: at + 1,
            code: "ruleset-includes-files",
            what: "an injected ruleset may not include other files",
            found: quoted(text.trim()),
            expected: "no include",
          },
        ];
  });
  refuseFindings(file, [...findings, ...includes]);
}
