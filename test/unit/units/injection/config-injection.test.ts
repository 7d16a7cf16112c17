import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { configInjection } from "../../../../src/units/injection/config-injection.ts";
import { fatBootSector } from "../../../support/disks.ts";
import { fakeHost, type FakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { rawTar } from "../../../support/raw-tar.ts";
import { testMachine } from "../../../support/test-machine.ts";

const A = rawTar([
  { name: "network.conf", content: "hostname=a\n" },
  { name: "accounts_ssh_authorized_keys/root", content: "# no one\n" },
  { name: "stray", content: "" },
]);
const B = rawTar([{ name: "nns.conf", content: "nns_url=http://b:1\n" }]);
const digest = (tar: Uint8Array): string => createHash("sha256").update(tar).digest("hex");
const DIRECT = "/mnt/ic-bootstrap.tar";
const RECORD = "/boot/config/injection.json";

const record = (tar: Uint8Array, phase: string): string =>
  JSON.stringify({ version: 1, sha256: digest(tar), device: DIRECT, phase, config: [], data: [] });

const TYPE = "/run/config/guest_vm_type/default";

/** In its own slot, with the type that a node of old has. */
function machine(files: FakeMachine["files"], more: FakeMachine = {}): FakeHost {
  const node = { "/proc/self/mountinfo": "1 0 0:25 / / rw - overlay overlay rw\n", "/proc/cmdline": "dfinity.system=A\n", [TYPE]: "" };
  return fakeHost({ ...more, files: { ...node, ...files } });
}

async function planned(host: FakeHost): Promise<readonly string[]> {
  const plan = await configInjection.plan(testMachine(host));
  if (isConflict(plan)) throw new Error("a conflict");
  return plan.map(({ description }) => description);
}

test("a node that is configured inspects no medium", async () => {
  const host = machine({ "/boot/config/CONFIGURED": "", [DIRECT]: "no tar at all" });
  expect(await planned(host)).toEqual([]);
});

test("a node without config.json notes that it is the node itself: services have that as a condition", async () => {
  for (const files of [{ "/boot/config/CONFIGURED": "" }, { [RECORD]: record(A, "stored") }]) {
    const host = machine(files);
    host.files.delete(TYPE);
    expect(await planned(host)).toEqual([`note the type of this VM: ${TYPE}`]);
  }
});

test("what a medium brings is written down, stored, and what it does not bring is removed", async () => {
  const host = machine({ [DIRECT]: A, "/boot/config/nns.conf": "nns_url=http://old\n", "/boot/config/store.keyfile": "k" });
  const machineOf = testMachine(host);
  const plan = await configInjection.plan(machineOf);
  expect(host.effects).toEqual([]);
  if (isConflict(plan)) throw new Error("a conflict");
  expect(plan.map(({ description, effect }) => `${effect}: ${description}`)).toEqual([
    `provision: note that the configuration on ${DIRECT} (sha256 ${digest(A)}) is being stored`,
    "provision: store network.conf as /boot/config/network.conf",
    "provision: remove /boot/config/nns.conf, which is not part of it",
    "provision: store accounts_ssh_authorized_keys/root as /boot/config/accounts_ssh_authorized_keys/root",
    "provision: note that the config partition is complete",
  ]);
  for (const action of plan) await action.run();
  expect(host.effects.filter((effect) => !effect.startsWith("make"))).toEqual([
    `write 644 ${RECORD}`,
    "write 644 /boot/config/network.conf",
    "remove /boot/config/nns.conf",
    "write 644 /boot/config/accounts_ssh_authorized_keys/root",
    `write 644 ${RECORD}`,
  ]);
  expect(machineOf.notes).toEqual([expect.stringContaining('"stray"')]);
  expect(host.files.get("/boot/config/store.keyfile")).toBe("k");
  expect(JSON.parse(String(host.files.get(RECORD)))).toMatchObject({
    sha256: digest(A),
    phase: "stored",
    config: ["accounts_ssh_authorized_keys/root", "network.conf"],
    data: [],
  });
});

test("no medium is an error that is worth another try, with an event to wait for", async () => {
  const error: unknown = await configInjection.plan(testMachine(machine({}))).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ retryable: true, problem: { what: "no configuration medium was found" }, wake: expect.any(Function) });
});

test("a medium that was taken in half and is gone is missed", async () => {
  expect(await problemOf(async () => planned(machine({ [RECORD]: record(A, "begun") })))).toMatchObject({ retryable: true });
});

test("a medium that was taken in whole may be gone", async () => {
  expect(await planned(machine({ [RECORD]: record(A, "stored") }))).toEqual([]);
});

test("the same medium again has nothing to add", async () => {
  expect(await planned(machine({ [RECORD]: record(A, "stored"), [DIRECT]: A }))).toEqual([]);
});

test.each([
  ["another medium, before the node is configured, is taken in instead", record(A, "stored")],
  ["half of another medium is replaced as well", record(A, "begun")],
  ["a damaged note of what was taken in means to start over", "{"],
  ["an empty note too", ""],
  ["and one of another version", JSON.stringify({ version: 2 })],
])("%s", async (_, text) => {
  expect(await planned(machine({ [RECORD]: text, [DIRECT]: B, "/boot/config/network.conf": "hostname=a\n" }))).toEqual([
    `note that the configuration on ${DIRECT} (sha256 ${digest(B)}) is being stored`,
    "remove /boot/config/network.conf, which is not part of it",
    "store nns.conf as /boot/config/nns.conf",
    "note that the config partition is complete",
  ]);
});

test("a bad tar is an error, and nothing of the good part is stored", async () => {
  const host = machine({
    [DIRECT]: rawTar([
      { name: "nns.conf", content: "" },
      { name: "nns_public_key.pem", content: "no key\n" },
    ]),
  });
  expect(await problemOf(async () => planned(host))).toMatchObject({
    where: { file: `${DIRECT}: nns_public_key.pem` },
    retryable: false,
  });
  expect(host.effects).toEqual([]);
});

function withStick(stick: Uint8Array): FakeHost {
  const block = "/sys/class/block/sda";
  return machine(
    {
      [DIRECT]: A,
      [`${block}/removable`]: "1",
      [`${block}/size`]: "99",
      [`${block}/dev`]: "8:0",
      "/dev/sda": fatBootSector(12),
      "/run/guestos-boot/medium/ic-bootstrap.tar": stick,
    },
    {
      commands: {
        "mount -t vfat -o ro,umask=0077,nodev,nosuid,noexec -- /dev/sda /run/guestos-boot/medium": "",
        "umount -- /run/guestos-boot/medium": "",
      },
    },
  );
}

test("two media that differ are a conflict that names both", async () => {
  const plan = await configInjection.plan(testMachine(withStick(B)));
  expect(isConflict(plan) && plan.conflict).toMatchObject({ found: `${DIRECT} (sha256 ${digest(A)}) and /dev/sda (sha256 ${digest(B)})` });
});

test("two media that say the same are one", async () => {
  expect(await planned(withStick(A))).toContain("store network.conf as /boot/config/network.conf");
});
