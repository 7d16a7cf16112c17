import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { profiles } from "../../../../src/profiles/profiles.ts";
import type { Decision } from "../../../../src/run/decision.ts";
import { readObservation } from "../../../../src/run/read-observation.ts";
import { replay } from "../../../../src/run/replay.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { fixturesOf, recordedStates, type RecordedState } from "../../../support/recorded-states.ts";
import { FIXTURES, fileOf } from "../../../support/replay-fixtures.ts";

/**
 * What may be wrong with a key, a header or a partition, what an interrupted run leaves, and a node of the shell chain, as a machine saw them
 * (test/vm/conflicts). This version decides each from what was recorded there.
 */

const chain = await profiles.guestos.chain();

/** Plan by plan. */
async function decided(name: string): Promise<readonly Decision[]> {
  const { told } = await readObservation(systemHost(), join(FIXTURES, fileOf(name)));
  return (await replay(chain, told, profiles.guestos)).map((plan) => {
    if (plan.kind === "not decided") throw new Error(`not decided: ${JSON.stringify(plan)}`);
    return plan.kind === "same" ? plan.decision : plan.now;
  });
}

const STORE = "/dev/sd[ab]10 (store)";
const text = (pattern: string): unknown => expect.stringMatching(new RegExp(`^${pattern.replaceAll(/[()]/g, String.raw`\$&`)}$`));
const conflict = (problem: object): object => ({ kind: "conflict", problem: expect.objectContaining(problem) as unknown });
const error = (problem: object): object => ({ kind: "error", problem: expect.objectContaining(problem) as unknown });
const does = (...patterns: readonly string[]): object => ({ kind: "actions", actions: patterns.map(text) });
const nothing = does();
const differs = (found: unknown): readonly object[] => [
  conflict({ code: "content-differs", what: text(`${STORE} does not hold what it should; it was not changed`), found }),
];
const UUID = "[-0-9a-f]{36}";
const VAR = "/dev/sd[ab]6 (A_var)";
const OPEN_VAR = `open ${VAR} as var_crypt`;
const MOUNT_VAR = "check and mount /dev/mapper/var_crypt at /var";
const FILL_VAR = [
  "make the ext4 file system of /var",
  "fill it from the image's own /var, and copy the journal to it",
  `note that ${VAR} is complete`,
];
const MADE_VAR = does(`encrypt ${VAR} with LUKS2`, OPEN_VAR, ...FILL_VAR, MOUNT_VAR);
const OPEN = `open ${STORE} as sd[ab]10-crypt`;

/** By state and unit: what each plan of it decides. */
const wanted: { readonly [State in RecordedState]: Readonly<Record<(typeof recordedStates)[State][number], readonly object[]>> } = {
  "a header that is gone": { "store-key": differs("data without a signature that is known") },
  "a store partition of zeros": { "store-key": differs("nothing") },
  "a key file that is gone": {
    "store-key": [conflict({ code: "store-key-gone", todo: expect.stringContaining("a recovery passphrase opens the store") as unknown })],
  },
  "half a key file": { "store-key": [error({ code: "store-key-damaged", found: "100 bytes" })] },
  "an empty key file": { "store-key": [error({ code: "store-key-damaged", found: "0 bytes" })] },
  // cryptsetup itself says that it does not open the store.
  "the key file of another node": { "store-key": [does(OPEN)] },
  "a header whose first copy is gone": { "store-key": [does(OPEN), nothing] },
  "a mapping that someone else opened": { "store-key": [conflict({ code: "mapping-taken" })] },
  "a partition that the kernel has lost": { "store-key": [conflict({ code: "partition-gone" })] },
  // The place on the disk is looked at before it is taken, and is not empty.
  "a partition that the kernel has lost, without its intent": {
    "store-key": [
      does(
        `note on the config partition that ${STORE} is about to be encrypted`,
        `add the partition ${STORE} on the rest of the disk`,
        `encrypt ${STORE} with LUKS2`,
        OPEN,
        "zero both ends of sd[ab]10-crypt, where it is inspected",
        `note that ${STORE} is complete`,
      ),
    ],
  },
  "a node of the shell chain, another key": { "store-key": differs(text(`crypto_LUKS ${UUID}`)) },
  "a node of the shell chain": {
    "store-key": [does(OPEN, `note that ${STORE} is complete`), nothing],
    var: [does(OPEN_VAR, `adopt ${VAR} as it is`, MOUNT_VAR), nothing],
    volumes: [does("activate the volume group store", "note that the volume group store is complete"), nothing],
    "volume-filesystems": [
      does(
        "note that ext4 on shared-crypto is complete",
        "note that swap on shared-swap is complete",
        "note that ext4 on shared-backup is complete",
        "note that xfs on shared-data is complete",
      ),
      nothing,
    ],
  },
  "what an interrupted run left": {
    "store-key": [does(`note that ${STORE} is complete`), nothing],
    var: [does(...FILL_VAR, MOUNT_VAR), nothing],
    volumes: [
      does(
        "make the volume group store with shared-crypto, shared-swap, shared-backup, shared-data",
        "note that the volume group store is complete",
      ),
      nothing,
    ],
    // The file system that was complete is left as it is.
    "volume-filesystems": [
      does(
        ...["swap on shared-swap", "ext4 on shared-backup", "xfs on shared-data"].flatMap((one) => [
          `make ${one}`,
          `note that ${one} is complete`,
        ]),
      ),
      nothing,
    ],
  },
  "a format that was cut off": { var: [MADE_VAR, nothing] },
  "blank partitions that were begun": {
    "store-key": [
      does(
        `add the partition ${STORE} on the rest of the disk`,
        `encrypt ${STORE} with LUKS2`,
        OPEN,
        "zero both ends of sd[ab]10-crypt, where it is inspected",
        `note that ${STORE} is complete`,
      ),
      nothing,
    ],
    var: [MADE_VAR, nothing],
  },
  "two partitions of one name": { "store-key": [error({ code: "partition-ambiguous", found: text(String.raw`sd[ab]9 and sd[ab]10`) })] },
};

for (const state of Object.keys(recordedStates) as readonly RecordedState[]) {
  test.each(fixturesOf(state))("$name", async ({ name, unit }) => {
    expect(await decided(name)).toEqual((wanted[state] as Readonly<Record<string, readonly object[]>>)[unit]);
  });

  test.each(fixturesOf(state))("the fixture of $name holds no content of a device or of a file that not everyone may read", ({ name }) => {
    expect(readFileSync(join(FIXTURES, fileOf(name)), "utf8")).not.toMatch(/"call":"read(?:At|Bytes)"|"bytes":/);
  });
}
