import { describe, expect, test } from "vitest";
import { node } from "./story.ts";

describe("the firewall", () => {
  test("the firewall has the rules of the ruleset file, and only those", () =>
    node.use(async (vm) => {
      // The kernel shows rules in its own way: what a fresh network namespace shows after the file is the measure.
      const [inForce, ofFile] = [
        await vm.shell.ok("nft --stateless list ruleset"),
        await vm.shell.ok("unshare --net sh -c 'nft --file /etc/nftables.conf && nft --stateless list ruleset'"),
      ];
      expect(inForce).toContain("policy drop");
      expect(inForce).toBe(ofFile);
    }));
});
