import { expect, test } from "vitest";
import { type Intent } from "../../../src/config/state/intent.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { fixturesOf, type RecordedState } from "../../support/recorded-states.ts";
import { putIntent } from "../support/two-keys.ts";
import { runSteps, type StepResult } from "../support/workbench.ts";
import { CLOSE, facts, FOLDERS, identities, intentIn, INTENTS, intentsOf, node, unitOf, uuidsOf } from "./story.ts";

test("begun × ours: what was begun is finished, from whatever an interrupted run left", () =>
  node.use(async (vm) => {
    const intents = await intentsOf(vm);
    const store = `/dev/mapper/${facts().disk.slice("/dev/".length)}10-crypt`;
    // /var was being filled, one volume had not been made, and one file system was complete already.
    const begun = INTENTS.filter((name) => name !== "filesystem-shared-crypto");
    const first = [
      "guestos-boot --unit volumes --unit var >&2",
      "mkdir -p /run/guestos-boot/var; mount /dev/mapper/var_crypt /run/guestos-boot/var; umount /var",
      "echo half >/run/guestos-boot/var/half",
      `lvremove --yes --quiet --devices ${store} store/shared-backup >&2`,
      "udevadm settle",
      ...begun.map((name) => putIntent(name, intentIn(intents, name), "begun")),
    ].join("\n");
    const fixtures = fixturesOf("what an interrupted run left");
    const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts", fixtures }], { first, devices: [facts().twin] });
    const kept = await vm.shell.ok(
      "cat /var/lib/ic/crypto/marker; find /var/half /var/marker /run/guestos-boot/var/* /var/lib/ic/data/* 2>/dev/null; ls -d /var/lib/systemd",
    );
    const made = await identities(vm);
    const after = await intentsOf(vm);
    await vm.shell.ok([...FOLDERS.map((folder) => `echo kept >${folder}/marker`), CLOSE].join("\n"));
    expect(results.get("run"), JSON.stringify(results.get("run"))).toMatchObject({ status: 0, wroteDevice: false });
    expect(unitOf(results.get("run"), "store-key").provisioned).toEqual([expect.stringMatching(/^note that .* is complete$/)]);
    expect(kept).toBe("kept\n/var/lib/systemd\n");
    expect(after).toEqual(intents);
    expect({ ...made }).toEqual(uuidsOf(intents));
  }));

/** A full run after `first`, of which something is made again: how it went, and what is there then. Everything is marked and closed again. */
async function madeAgain(
  vm: VirtualMachine,
  state: RecordedState,
  first: string,
): Promise<{
  readonly result: StepResult | undefined;
  readonly made: Readonly<Record<string, string>>;
  readonly after: ReadonlyMap<string, Intent>;
}> {
  const step = { name: "run", args: "--unit volume-mounts", fixtures: fixturesOf(state) };
  const results = await runSteps(vm, [step], { first, devices: [facts().twin] });
  const [made, after] = [await identities(vm), await intentsOf(vm)];
  await vm.shell.ok([...FOLDERS.map((folder) => `echo kept >${folder}/marker`), CLOSE].join("\n"));
  return { result: results.get("run"), made, after };
}

test("begun × a format that was cut off before there was a header: it is done again", () =>
  node.use(async (vm) => {
    const { disk } = facts();
    const var6 = `${disk}6`;
    const intents = await intentsOf(vm);
    // Noise where key slots will be, less than all of it; and what a luksFormat writes last is not there.
    const first = [
      `dd if=/dev/zero of=${var6} bs=1M count=16 conv=notrunc,fsync status=none`,
      `dd if=/dev/urandom of=${var6} bs=32k seek=1 count=66 conv=notrunc,fsync status=none; udevadm settle`,
      putIntent("var-A", intentIn(intents, "var-A"), "begun"),
    ].join("\n");
    const { result, made, after } = await madeAgain(vm, "a format that was cut off", first);
    expect(result, JSON.stringify(result)).toMatchObject({ status: 0, wroteDevice: false });
    expect(unitOf(result, "var").provisioned).toContainEqual(expect.stringMatching(/^encrypt/));
    expect(after).toEqual(intents);
    expect({ ...made }).toEqual(uuidsOf(intents));
  }));

test("begun × blank, and begun with half a header: everything is made again, with the identity that was chosen before", () =>
  node.use(async (vm) => {
    const { disk } = facts();
    const intents = await intentsOf(vm);
    const first = [
      // The run was killed after the partition was in the table, and before the kernel was told of it.
      `dd if=/dev/zero of=${disk}10 bs=1M count=16 conv=fsync status=none; udevadm settle; partx --delete --nr 10 ${disk}`,
      // And while the header of /var had no key slot yet.
      `cryptsetup luksErase --batch-mode ${disk}6; udevadm settle`,
      ...INTENTS.map((name) => putIntent(name, intentIn(intents, name), "begun")),
    ].join("\n");
    const { result, made, after } = await madeAgain(vm, "blank partitions that were begun", first);
    expect(result, JSON.stringify(result)).toMatchObject({ status: 0, wroteDevice: false });
    expect(unitOf(result, "store-key").provisioned).toEqual([
      expect.stringMatching(/^add the partition/),
      expect.stringMatching(/^encrypt/),
      expect.stringMatching(/^zero both ends of /),
      expect.stringMatching(/^note that .* is complete$/),
    ]);
    expect(unitOf(result, "var").provisioned).toContainEqual(expect.stringMatching(/^encrypt/));
    expect(after).toEqual(intents);
    expect({ ...made }).toEqual(uuidsOf(intents));
  }));
