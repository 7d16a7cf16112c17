import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { injected, node } from "./story.ts";

/** Where a file of the tar has to be on the node. */
function placeOf(name: string): string {
  if (/^(?:\w+\.conf$|accounts_)/.test(name)) return `/boot/config/${name}`;
  return `/var/lib/ic/${name.startsWith("ic_crypto/") ? name.replace("ic_crypto", "crypto") : `data/${name}`}`;
}

describe("what is injected", () => {
  test("keys and state from the medium are in their places, each for the account that uses it and its readers alone", () =>
    node.use(async (vm) => {
      const list = "find data crypto -not -name lost+found -printf '%p %m %u:%g\\n' | sort";
      const rows = (await vm.shell.ok(`cd /var/lib/ic && ${list}`)).trimEnd().split("\n");
      const owned = (owner: string, ...lines: readonly string[]): readonly string[] => lines.map((line) => `${line} ${owner}`);
      const replica = "ic-replica:ic-replica";
      expect(rows.filter((row) => !row.startsWith("data/.layout-version ")).toSorted()).toEqual(
        [
          ...owned(
            "ic-csp-vault:ic-csp-vault",
            ...["crypto 2750", "crypto/node_sks 2750", "crypto/node_sks/sks_data.pb 640", "crypto/public_keys.pb 640"],
          ),
          ...owned(replica, "data 755", "data/nns_public_key.pem 644", "data/node_operator_private_key.pem 600"),
          ...owned("root:root", "data/ic_adapter 755"),
          ...owned("ic-replica:ic-consensus-pool", "data/ic_consensus_pool 2750"),
          ...owned(
            "ic-replica:ic-registry-local-store",
            "data/ic_registry_local_store 2750",
            "data/ic_registry_local_store/0000000000 2750",
            "data/ic_registry_local_store/0000000000/01.pb 640",
          ),
          ...owned(
            "ic-replica:nonconfidential",
            "data/cups 2750",
            "data/ic_adapter/dogecoin_mainnet_cache 2750",
            "data/ic_adapter/dogecoin_testnet_cache 2750",
            "data/ic_state 2750",
            "data/ic_state/page_deltas 2750",
            "data/ic_state/page_deltas/slot_0 2750",
            "data/ic_state/page_deltas/slot_0/canister.bin 640",
            "data/ic_state/states_metadata.pbuf 640",
            "data/orchestrator 2750",
          ),
          ...owned("admin:nonconfidential", "data/recovery 2750"),
        ].toSorted(),
      );
      const digests = await vm.shell.ok(`sha256sum ${Object.keys(injected.config).map(placeOf).join(" ")}`);
      expect(digests.trimEnd().split("\n")).toEqual(
        Object.entries(injected.config).map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${placeOf(name)}`),
      );
      expect(await vm.shell.ok("stat --format %s /boot/config/CONFIGURED")).toBe("0\n");
    }));

  test("the machine id is saved", () =>
    node.use(async (vm) => {
      expect(await vm.shell.ok("cat /boot/config/machine-id")).toMatch(/^[0-9a-f]{32}\n$/);
      expect(await vm.shell.ok("cat /etc/machine-id")).toBe(await vm.shell.ok("cat /boot/config/machine-id"));
    }));
});
