import type { Command } from "../command.ts";
import type { Host } from "../host.ts";

const NFT = "/usr/sbin/nft";
/** The path of the ruleset for a confined nft. Not /dev/stdin: nft 1.0 opens that by name, and there is no /dev. */
export const CONFINED_RULESET = "/ruleset.nft";

/**
 * The files that resolve names in a ruleset: hosts, services, protocols, users and groups, routing marks, labels. Every account of the node
 * may read them all. Listed one by one, because /etc holds secrets too.
 */
const NAMES = [
  ...["hosts", "resolv.conf", "nsswitch.conf", "host.conf", "gai.conf"],
  ...["services", "protocols", "passwd", "group", "connlabel.conf", "iproute2"],
].map((name) => `/etc/${name}`);

/**
 * nft with a root of its own. It holds the ruleset of standard input, nft, its libraries, and the files above, all read-only. There is no
 * /proc and no /dev. So a ruleset cannot make nft open any other file. A check of the text would not ensure that, because only nft itself
 * knows its rules for `include` (nft(8), "INCLUDE FILES"). Of capabilities it keeps the one for the packet filter. See bwrap(1): a mount
 * namespace, a tmpfs for its root, and pivot_root(2).
 *
 * @param args without the ruleset
 * @throws CommandError where the libraries cannot be listed
 */
export async function confinedNft(host: Host, args: readonly string[]): Promise<Pick<Command, "program" | "args" | "keptWords">> {
  const libraries = (await host.run({ program: "ldd", args: [NFT] })).stdout;
  const needed = [NFT, ...[...libraries.matchAll(/(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? [])];
  return {
    program: "bwrap",
    args: [
      ...["--cap-drop", "ALL", "--cap-add", "CAP_NET_ADMIN"],
      ...needed.flatMap((path) => ["--ro-bind", path, path]),
      ...[...NAMES, "/usr/share/iproute2"].flatMap((path) => ["--ro-bind-try", path, path]),
      ...["--file", "0", CONFINED_RULESET, "--remount-ro", "/", "--chdir", "/"],
      ...["--", NFT, ...args, "-f", CONFINED_RULESET],
    ],
    keptWords,
  };
}

/**
 * The part of a confined nft's output that may be shown: mistakes in the ruleset itself, and why nft or its confinement failed. Never a
 * line that it quotes from a file: that may be another file than the ruleset.
 */
function keptWords(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) =>
      /^(?:\/ruleset\.nft:\d+:\d+(?:-\d+)?: Error: |In file included from \/ruleset\.nft:|(?:bwrap|netlink|internal|(?:\/usr\/sbin\/)?nft)\b.*: )/.test(
        line,
      ),
    )
    .join("\n");
}
