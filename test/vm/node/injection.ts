import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { injected, node } from "./story.ts";

/** Where a file of the tar has to be on the node. */
function placeOf(name: string): string {
  if (/^(?:\w+\.conf$|accounts_)/.test(name)) return `/boot/config/${name}`;
  return `/var/lib/ic/${name.startsWith("ic_crypto/") ? name.replace("ic_crypto", "crypto") : `data/${name}`}`;
}

describe("what is injected", () => {
  test("keys and state from the medium are in their places, for ic-replica alone where they are secret", () =>
    node.use(async (vm) => {
      const list = "find data crypto -not -name lost+found -printf '%p %m %U:%G\\n' | sort";
      const owner = (await vm.shell.ok("echo $(id --user ic-replica):$(id --group ic-replica)")).trim();
      const owned = (...lines: readonly string[]): readonly string[] => lines.map((line) => `${line} ${owner}`);
      const rows = (await vm.shell.ok(`cd /var/lib/ic && ${list}`)).trimEnd().split("\n");
      expect(rows.filter((row) => !/^(?:crypto|data\/\.layout-version) /.test(row)).toSorted()).toEqual(
        owned(
          "crypto/node_sks 700",
          "crypto/node_sks/sks_data.pb 600",
          "crypto/public_keys.pb 600",
          "data 755",
          "data/ic_registry_local_store 755",
          "data/ic_registry_local_store/0000000000 755",
          "data/ic_registry_local_store/0000000000/01.pb 644",
          "data/ic_state 755",
          "data/ic_state/page_deltas 755",
          "data/ic_state/page_deltas/slot_0 755",
          "data/ic_state/page_deltas/slot_0/canister.bin 644",
          "data/ic_state/states_metadata.pbuf 644",
          "data/nns_public_key.pem 644",
          "data/node_operator_private_key.pem 600",
        ).toSorted(),
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
