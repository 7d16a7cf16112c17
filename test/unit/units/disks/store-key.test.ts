import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { encodeStoreKey } from "../../../../src/config/state/store-key.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { storeKey } from "../../../../src/units/disks/store-key.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

const MIB = 1024 * 1024;
const UUID = "11111111-2222-3333-4444-555555555555";
const { config } = guestosLayout;

/** As LUKS2 On-Disk Format Specification 1.1 has it, section 2.1: magic, version, and the UUID at 168. */
function luksHeader(): Uint8Array {
  const header = Buffer.alloc(8192);
  header.write("LUKS\xba\xbe", "latin1");
  header.writeUInt16BE(2, 6);
  header.write(UUID, 168);
  return header;
}

const intent = (phase: "begun" | "complete"): string => JSON.stringify({ version: 1, about: "a test", uuid: UUID, phase });
const mapped = {
  "/sys/class/block/dm-0/dm/name": "vda10-crypt\n",
  "/sys/class/block/dm-0/dm/uuid": `CRYPT-LUKS2-${UUID.replaceAll("-", "")}-vda10-crypt\n`,
  "/sys/class/block/dm-0/size": `${(64 * MIB) / 512}\n`,
  "/sys/class/block/dm-0/dev": "253:0\n",
};

/** A node with the partition store, which holds our header; names of the intents that are there besides the store's own. */
function node(phase: "begun" | "complete", others: readonly string[] = []): FakeHost {
  const partition = { partition: "10\n", size: "999999\n", dev: "254:10\n", uevent: "PARTN=10\nPARTNAME=store\n" };
  const intents = Object.fromEntries(others.map((name) => [`${config.intents}/${name}.json`, intent("begun")]));
  return fakeHost({
    files: {
      "/proc/self/mountinfo": "22 1 254:5 / / ro - ext4 /dev/root ro\n",
      ...Object.fromEntries(
        Object.entries(partition).flatMap(([file, text]) => [
          [`/sys/class/block/vda/vda10/${file}`, text],
          [`/sys/class/block/vda10/${file}`, text],
        ]),
      ),
      "/sys/class/block/vda5/partition": "5\n",
      "/dev/vda10": luksHeader(),
      ...mapped,
      [config.storeKey]: encodeStoreKey(Buffer.alloc(32, 1), { memoryKiB: 8192, passes: 1, parallelism: 1, salt: Buffer.alloc(16, 2) }),
      [`${config.intents}/store.json`]: intent(phase),
      ...intents,
    },
    links: { "/sys/dev/block/254:5": "../../block/vda/vda5" },
  });
}

async function actionsOf(host: FakeHost): Promise<readonly string[]> {
  const machine = { ...testMachine(host), keys: { deviceKey: async () => Promise.resolve(new Secret(new Uint8Array(32))) } };
  const plan = await storeKey.plan(machine);
  if (isConflict(plan)) throw new Error(JSON.stringify(plan));
  for (const action of plan) await action.run();
  return plan.map(({ description }) => description);
}

const ZERO = "zero both ends of vda10-crypt, where it is inspected";
const COMPLETE = "note that /dev/vda10 (store) is complete";

test("a store that was begun is zeroed where it is inspected, before it is called complete", async () => {
  const host = node("begun", ["var-A", "var-B"]);
  expect(await actionsOf(host)).toEqual([ZERO, COMPLETE]);
  const writes = host.effects.filter((effect) => /^(overwrite|write)/.test(effect));
  expect(writes).toEqual(["overwrite /dev/dm-0", "overwrite /dev/dm-0", `write 644 ${config.intents}/store.json`]);
});

test("one in which something was begun is not, and one that is complete is not touched at all", async () => {
  expect(await actionsOf(node("begun", ["volumes"]))).toEqual([COMPLETE]);
  expect(await actionsOf(node("begun", ["filesystem-shared-data"]))).toEqual([COMPLETE]);
  const host = node("complete");
  expect(await actionsOf(host)).toEqual([]);
  expect(host.effects).toEqual([]);
});
