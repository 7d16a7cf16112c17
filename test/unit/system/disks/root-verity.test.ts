import { expect, test } from "vitest";
import { rootVerity } from "../../../../src/system/disks/root-verity.ts";
import { fakeHost, type FakeHost } from "../../../support/fake-host.ts";

function host(status: string, uuid = "CRYPT-VERITY-vroot", mounted = "253:0"): FakeHost {
  return fakeHost({
    files: {
      "/proc/self/mountinfo": `1 0 ${mounted} / / ro - ext4 /dev/mapper/vroot ro\n`,
      "/sys/class/block/dm-0/dm/name": "vroot\n",
      "/sys/class/block/dm-0/dm/uuid": `${uuid}\n`,
      "/sys/class/block/dm-0/size": "2588672\n",
      "/sys/class/block/dm-0/dev": "253:0\n",
    },
    commands: { "dmsetup status vroot": status },
  });
}

// Both as Linux 6.12 prints them, with and without error correction.
test.each([
  ["0 2588672 verity V -\n", "intact"],
  ["0 2588672 verity V\n", "intact"],
  ["0 2588672 verity C -\n", "corrupted"],
])("%j is %s", async (status, state) => {
  expect(await rootVerity(host(status))).toBe(state);
});

test("a root on a partition, or on another mapping, is not verified, and no tool is asked", async () => {
  for (const machine of [host("", "CRYPT-VERITY-vroot", "254:5"), host("", "LVM-x")]) {
    expect(await rootVerity(machine)).toBe("none");
    expect(machine.effects).toEqual([]);
  }
});

test.each(["", "0 2588672 linear 254:5 0\n", "0 2588672 verity X\n"])(
  "an answer that is none is not taken for intact: %j",
  async (status) => {
    await expect(rootVerity(host(status))).rejects.toThrow(/cannot tell whether the root/);
  },
);
