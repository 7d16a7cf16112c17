import { randomUUID } from "node:crypto";
import { copyFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { recoveryPassphrase } from "../../../../src/config/recovery-passphrase.ts";
import type { Command } from "../../../../src/system/command.ts";
import { luksFormat, luksKeyFits } from "../../../../src/system/disks/cryptsetup.ts";
import { type Host, systemHost } from "../../../../src/system/host.ts";
import { readLuksHeader } from "../../../../src/system/disks/luks-header.ts";
import { readLuksSlots, writeLuksToken } from "../../../../src/system/disks/luks-slots.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { RECOVERY_TOKEN } from "../../../../src/units/disks/recovery-plan.ts";
import { type Recovery, recoveryState, removeRecovery, setRecovery } from "../../../../src/units/disks/recovery-slot.ts";
import { atEveryEffect } from "../../../support/interrupting-host.ts";
import { namespaceRoot } from "../../../support/namespace.ts";

// Each try of a passphrase is a pass of argon2id over 64 MiB, on a machine that may be busy.
vi.setConfig({ testTimeout: 600_000 });

const host = systemHost({ signal: new AbortController().signal });
const key = new Secret(Buffer.from("0123456789abcdef\n\0canary-of-key.."));
const passphrase = (text: string): Secret => recoveryPassphrase(Buffer.from(text));
const first = passphrase("canary one: correct horse");
const second = passphrase("canary two: battery staple");

async function store(): Promise<Recovery> {
  const device = join(namespaceRoot(), "luks");
  writeFileSync(device, "");
  truncateSync(device, 32 * 1024 ** 2);
  await luksFormat(host, device, randomUUID(), key);
  return { host, device, key };
}

async function opens({ device }: Recovery, ...secrets: readonly Secret[]): Promise<readonly boolean[]> {
  const answers: boolean[] = [];
  for (const secret of secrets) answers.push(await luksKeyFits(host, device, secret));
  return answers;
}

test("it is set, recognised, replaced and removed, and the node's own key opens the store all the while", async () => {
  const recovery = await store();
  expect(await recoveryState(host, recovery.device)).toBe("none");
  expect(await setRecovery(recovery, first)).toBe("added");
  expect(await recoveryState(host, recovery.device)).toBe("set");
  expect(await opens(recovery, key, first, second)).toEqual([true, true, false]);

  const before = await readLuksHeader(host, recovery.device);
  expect(await setRecovery(recovery, first)).toBe("unchanged");
  expect(await readLuksHeader(host, recovery.device)).toEqual(before);

  expect(await setRecovery(recovery, second)).toBe("replaced");
  expect(await opens(recovery, key, first, second)).toEqual([true, false, true]);
  expect((await readLuksSlots(host, recovery.device)).slots).toHaveLength(2);

  expect(await removeRecovery(recovery)).toBe(true);
  expect(await opens(recovery, key, first, second)).toEqual([true, false, false]);
  expect(await readLuksSlots(host, recovery.device)).toMatchObject({ slots: [{ number: 0 }], tokens: [] });
  expect(await removeRecovery(recovery)).toBe(false);
});

test("the slot is stretched as RFC 9106 asks, and that of the node's key is as it was", async () => {
  const recovery = await store();
  const dump = async (): Promise<{ keyslots: Record<string, { kdf: Record<string, unknown> }> }> =>
    JSON.parse((await host.run({ program: "cryptsetup", args: ["luksDump", "--dump-json-metadata", recovery.device] })).stdout) as never;
  const { keyslots: before } = await dump();
  await setRecovery(recovery, first);
  const { keyslots: after } = await dump();
  expect(after["0"]).toEqual(before["0"]);
  expect(after["1"]?.kdf).toMatchObject({ type: "argon2id", time: 4 });
  expect(after["1"]?.kdf["memory"]).toBeGreaterThanOrEqual(65_536);
});

const own = new Secret(Buffer.from("by hand"));

/** What an operator may do at any time: the first free slot is taken. */
async function addOwn({ device }: Recovery): Promise<void> {
  await host.run({
    program: "cryptsetup",
    args: [
      "luksAddKey",
      "--batch-mode",
      "--pbkdf-memory",
      "65536",
      "--pbkdf-force-iterations",
      "4",
      "--key-file",
      "-",
      "--keyfile-size",
      "33",
      device,
      "-",
    ],
    input: new Secret(Buffer.concat([key.expose(), own.expose()])),
  });
}

test("an operator's own key slots are not touched", async () => {
  const recovery = await store();
  await addOwn(recovery);
  await setRecovery(recovery, first);
  await setRecovery(recovery, second);
  await removeRecovery(recovery);
  expect(await opens(recovery, key, own)).toEqual([true, true]);
});

test("nor is one that was made in the very place that a cut off attempt had announced", async () => {
  const recovery = await store();
  for (const goOn of [async () => setRecovery(recovery, first), async () => removeRecovery(recovery)]) {
    await writeLuksToken(host, recovery.device, { type: RECOVERY_TOKEN, slots: [], next: { number: 1, memory: 65_537 } }, undefined);
    await addOwn(recovery);
    expect((await readLuksSlots(host, recovery.device)).slots).toContainEqual({ number: 1, memory: 65_536 });
    await goOn();
    expect(await opens(recovery, key, own)).toEqual([true, true]);
    await removeRecovery(recovery);
    await host.run({ program: "cryptsetup", args: ["luksKillSlot", "--key-file", "-", recovery.device, "1"], input: key });
  }
});

test("nothing is done with another key, or where the mark names the slot of the node's own key", async () => {
  const recovery = await store();
  const foreign = { ...recovery, key: new Secret(Buffer.alloc(32, 7)) };
  await expect(setRecovery(foreign, first)).rejects.toThrow("the device's own key does not open");
  await writeLuksToken(host, recovery.device, { type: RECOVERY_TOKEN, slots: [0], next: undefined }, undefined);
  const before = await readLuksHeader(host, recovery.device);
  await expect(setRecovery(recovery, first)).rejects.toThrow("that of the node's own key");
  await expect(removeRecovery(recovery)).rejects.toThrow("that of the node's own key");
  expect(await readLuksHeader(host, recovery.device)).toEqual(before);
});

test("no secret is in an argument or the environment, and none is told of", async () => {
  const recovery = await store();
  const seen: Command[] = [];
  const told: string[] = [];
  const watching = systemHost({
    signal: host.signal,
    onTool: (command) => {
      seen.push(command);
      return (ending, stderr) => void told.push(JSON.stringify(ending), stderr);
    },
  });
  await setRecovery({ ...recovery, host: watching }, first);
  await setRecovery({ ...recovery, host: watching }, second);
  await removeRecovery({ ...recovery, host: watching });
  expect(seen.length).toBeGreaterThan(10);
  expect(`${JSON.stringify(seen)}${told.join("")}`).not.toContain("canary");
});

/** Only what changes the header is an effect: reading goes on where a power cut is played. */
function changing(interrupted: Host): Host {
  const onlyReads = (args: readonly string[]): boolean => args.includes("--test-passphrase") || args.includes("luksDump");
  return { ...interrupted, run: async (command) => (onlyReads(command.args) ? host.run(command) : interrupted.run(command)) };
}

test("cut off before any step, a replacement leaves one of the two, and doing it again finishes it", async () => {
  const prepared = await store();
  await setRecovery(prepared, first);
  const prepare = async (): Promise<Recovery> => {
    const device = join(namespaceRoot(), "copy");
    copyFileSync(prepared.device, device);
    return { ...prepared, device };
  };
  const cuts = await atEveryEffect(
    prepare,
    async (recovery, interrupt) => setRecovery({ ...recovery, host: changing(interrupt(host)) }, second),
    async (recovery, n) => {
      const [own, former, latter] = await opens(recovery, key, first, second);
      expect(own, `cut ${n}`).toBe(true);
      expect(former === true || latter === true, `cut ${n}`).toBe(true);
      expect(await recoveryState(host, recovery.device)).toBe(n === 1 ? "set" : "unfinished");
      // The same once more, or, where both are there, quite another one: nothing of the others is left.
      const last = n === 3 ? passphrase("quite another one: 7 ravens") : second;
      await setRecovery(recovery, last);
      expect(await opens(recovery, key, first, ...(n === 3 ? [second] : []), last), `cut ${n}`).toEqual([
        true,
        false,
        ...(n === 3 ? [false] : []),
        true,
      ]);
      expect(await recoveryState(host, recovery.device)).toBe("set");
      expect((await readLuksSlots(host, recovery.device)).slots).toHaveLength(2);
    },
  );
  // The announcement, the new slot, the end of the former one, the mark.
  expect(cuts).toBe(4);
});

test("cut off before any step, removing it is finished by doing it again", async () => {
  const prepared = await store();
  await setRecovery(prepared, first);
  const cuts = await atEveryEffect(
    async () => {
      const device = join(namespaceRoot(), "copy");
      copyFileSync(prepared.device, device);
      return { ...prepared, device };
    },
    async (recovery, interrupt) => removeRecovery({ ...recovery, host: changing(interrupt(host)) }),
    async (recovery) => {
      await removeRecovery(recovery);
      expect(await readLuksSlots(host, recovery.device)).toMatchObject({ slots: [{ number: 0 }], tokens: [] });
      expect(await opens(recovery, key)).toEqual([true]);
    },
  );
  expect(cuts).toBe(2);
});

test("what docs/operator.md says makes a key again: the passphrase lets a raw key in, and it opens the store", async () => {
  const recovery = await store();
  await setRecovery(recovery, first);
  const made = join(namespaceRoot(), "store.keyfile.new");
  writeFileSync(made, Buffer.from("fresh-0123456789abcdefghijklmnop"), { mode: 0o400 });
  await host.run({
    program: "cryptsetup",
    // --key-file - stands for the prompt, where a person types.
    args: ["luksAddKey", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-", recovery.device, made],
    input: first,
  });
  expect(await opens(recovery, new Secret(Buffer.from("fresh-0123456789abcdefghijklmnop")), first)).toEqual([true, true]);
});
