import { describe, expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { planMigrations, upgradeDataStore } from "../../../../src/units/slots/upgrade-data-store.ts";
import { actingHost, failing, type ToolAction } from "../../../support/acting-host.ts";
import { fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const DATA = "/var/lib/ic/data";
const MARKER = `${DATA}/.layout-version`;
const GIVE = "give the data store to ic-replica (layout version 1)";
const OWNED = { mode: 0o755, uid: 990, gid: 991 };

const chown = ["-exec", "chown", "--no-dereference", "990:991", "{}", "+"];
const find: ToolAction = (_, { args }) => {
  expect(args).toEqual(["-P", DATA, "-mindepth", "1", "!", "-uid", "990", ...chown]);
};

function machine({ files, ...rest }: FakeMachine = {}, tools: Readonly<Record<string, ToolAction>> = {}) {
  const base = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nic-replica:x:990:991::/:/usr/sbin/nologin\n",
    "/etc/group": "root:x:0:\n",
    [`${DATA}/nns_public_key.pem`]: "pem",
  };
  return testMachine(actingHost({ files: { ...base, ...files }, ...rest }, { find, sync: () => undefined, ...tools }));
}

test("a store without a version is given to ic-replica, made durable, and marked after that", async () => {
  const subject = machine();
  expect(await runUnit(upgradeDataStore, subject)).toEqual([GIVE]);
  expect(subject.host.effects).toEqual(["run find", "run sync", `set ${DATA}`, `write 644 ${MARKER}`]);
  expect(subject.host.files.get(MARKER)).toBe("1\n");
  expect(await runUnit(upgradeDataStore, subject)).toEqual([]);
});

test("a store of this version is left as it is", async () => {
  const subject = machine({ files: { [MARKER]: "1\n" }, attributes: { [DATA]: OWNED } });
  expect(await runUnit(upgradeDataStore, subject)).toEqual([]);
});

test("a store whose owner has another number in this image is given to it again", async () => {
  const subject = machine({ files: { [MARKER]: "1\n" }, attributes: { [DATA]: { mode: 0o755, uid: 998, gid: 998 } } });
  expect(await runUnit(upgradeDataStore, subject)).toEqual(["give the data store to ic-replica again"]);
  expect(await runUnit(upgradeDataStore, subject)).toEqual([]);
});

test("a store of a newer system is a conflict, and nothing is touched", async () => {
  const subject = machine({ files: { [MARKER]: "2\n" } });
  expect(await upgradeDataStore.plan(subject)).toMatchObject({
    conflict: {
      what: "the data store was written by a newer system",
      found: "layout version 2",
      expected: expect.stringContaining("version 1"),
    },
  });
  expect(subject.host.effects).toEqual([]);
});

test.each(["", "one\n", "1", "0\n", "-1\n", "1\n2\n", "1".repeat(20)])(
  "a version that is none is a conflict that does not show it: %j",
  async (text) => {
    const plan = await upgradeDataStore.plan(machine({ files: { [MARKER]: text } }));
    expect(plan).toMatchObject({ conflict: { found: `a file of ${text.length} bytes`, where: { file: MARKER } } });
  },
);

test("a version that is a link is not followed", async () => {
  const subject = machine({ files: { "/boot/config/store.keyfile": "1\n" }, links: { [MARKER]: "/boot/config/store.keyfile" } });
  expect(await upgradeDataStore.plan(subject)).toMatchObject({ conflict: { found: "a link" } });
});

test("chown failing leaves the store unmarked", async () => {
  const subject = machine({}, { find: failing(1, "chown: changing ownership: Read-only file system") });
  await expect(runUnit(upgradeDataStore, subject)).rejects.toMatchObject({ problem: { found: expect.stringContaining("Read-only") } });
  expect(subject.host.files.has(MARKER)).toBe(false);
});

test("an image without ic-replica is an error that names it", async () => {
  const subject = machine({ files: { "/etc/passwd": "root:x:0:0::/root:/bin/sh\n" } });
  await expect(upgradeDataStore.plan(subject)).rejects.toThrow("the image has no account ic-replica");
});

describe("of several migrations", () => {
  const owner = { name: "ic-replica", uid: 990, gid: 990 };

  function store(done: string[], failAt?: number) {
    const migrations = [1, 2, 3].map((version) => ({
      description: `step ${version}`,
      run: async () => {
        if (version === failAt) throw new Error("no power");
        done.push(`step ${version}`);
      },
    }));
    return { folder: "/data", owner, migrations };
  }

  async function run(host: ReturnType<typeof fakeHost>, subject: ReturnType<typeof store>): Promise<void> {
    const plan = await planMigrations(host, subject);
    if (isConflict(plan)) throw new Error("conflict");
    for (const action of plan) await action.run();
  }

  test("those that are missing are done in order, each marked as it is done", async () => {
    const done: string[] = [];
    const host = fakeHost({ files: { "/data/.layout-version": "1\n" } });
    await run(host, store(done));
    expect(done).toEqual(["step 2", "step 3"]);
    expect(host.files.get("/data/.layout-version")).toBe("3\n");
    expect(await planMigrations(host, store(done))).toEqual([]);
  });

  test("one that was cut off is done again, and none before it", async () => {
    const done: string[] = [];
    const host = fakeHost();
    await expect(run(host, store(done, 2))).rejects.toThrow("no power");
    expect(host.files.get("/data/.layout-version")).toBe("1\n");
    await run(host, store(done));
    expect(done).toEqual(["step 1", "step 2", "step 3"]);
  });
});
