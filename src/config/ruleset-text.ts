import { refuseFindings } from "../base/finding.ts";
import { quoted } from "../base/quoted.ts";
import { textLines } from "./text/text-lines.ts";

/**
 * Checks an injected nftables.conf as far as possible without nft: small, and text. A plain `include` is reported here, where the operator
 * can still correct the medium: on the node it could find nothing. That is a courtesy, not a protection. nft's syntax is for nft to judge,
 * and on a node nft runs without access to other files (src/system/network/confined-nft.ts).
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkRulesetText(content: Uint8Array, file: string): void {
  const { lines, findings } = textLines(content, file, { tabs: true });
  const includes = lines.flatMap(({ text, number: line }) => {
    // No comment and no quoted text may begin before it on its line: it would hide the include.
    const before = /^([^#"']*?)\binclude\s*["']/.exec(text)?.[1];
    if (before === undefined) return [];
    return {
      line,
      column: before.length + 1,
      code: "ruleset-includes-files",
      what: "an injected ruleset may not include other files",
      found: quoted(text.trim()),
      expected: "no include",
    };
  });
  refuseFindings(file, [...findings, ...includes]);
}
