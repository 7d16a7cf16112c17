import { refuseFindings } from "../base/finding.ts";
import { quoted } from "../base/quoted.ts";
import { textLines } from "./text/text-lines.ts";

/**
 * Checks an injected nftables.conf as far as it can be checked without nft: small, and text. A plain `include` is told of here, where someone can
 * still correct the medium: it could find nothing. That is a courtesy, and keeps nft from no file: its own syntax is nft's to judge, and
 * on a node it runs where there is no other file (src/system/network/confined-nft.ts).
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkRulesetText(content: Uint8Array, file: string): void {
  const { lines, findings } = textLines(content, file, { tabs: true });
  const includes = lines.flatMap(({ text, number: line }) => {
    // Nothing before it on its line can be a comment, or a text that hides it.
    const before = /^([^#"']*?)\binclude\s*["']/.exec(text)?.[1];
    return before === undefined
      ? []
      : [
          {
            line,
            column: before.length + 1,
            what: "an injected ruleset must stand alone",
            found: quoted(text.trim()),
            expected: "no include",
          },
        ];
  });
  refuseFindings(file, [...findings, ...includes]);
}
