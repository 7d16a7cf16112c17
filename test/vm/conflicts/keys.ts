import { expect, test } from "vitest";
import { BOOT_TIMEOUT } from "../support/node.ts";
import { fixturesOf, type RecordedState } from "../../support/recorded-states.ts";
import { whereRecorded } from "../support/keep-replay.ts";
import { runSteps, type Step } from "../support/workbench.ts";
import { CLOSE, document, expectAllKept, facts, node, unitOf } from "./story.ts";
import { filled, removeRecovery, rescue, setRecovery } from "../../support/documented/elsewhere.ts";

function damaged(state: RecordedState, before: string): Step {
  return { name: state, before, args: "--unit store-key", fixtures: fixturesOf(state) };
}

test("a header or a key that is damaged or gone stops everything, and is all that has to be restored", () =>
  node.use(async (vm) => {
    const store = `${facts().disk}10`;
    const key = "/boot/config/store.keyfile";
    const put = `cp /dev/shm/key ${key}`;
    const header = `dd if=/dev/shm/header of=${store} bs=1M conv=notrunc,fsync status=none`;
    const steps: readonly Step[] = [
      // Both headers; the key slots are behind them.
      damaged("a header that is gone", `dd if=/dev/zero of=${store} bs=32k count=1 conv=notrunc,fsync status=none`),
      ...whereRecorded([
        damaged("a store partition of zeros", `dd if=/dev/zero of=${store} bs=1M count=16 conv=notrunc,fsync status=none`),
      ]),
      damaged("a key file that is gone", `${header}\nrm ${key}`),
      ...whereRecorded([
        damaged("half a key file", `dd if=/dev/shm/key of=${key} bs=100 count=1 status=none`),
        damaged("an empty key file", `: >${key}`),
      ]),
      // As a raw one, which is what a key file without a header is.
      damaged("the key file of another node", `dd if=/dev/urandom of=${key} bs=64 count=1 status=none`),
      // cryptsetup itself repairs it from the second one.
      damaged("a header whose first copy is gone", `${put}\ndd if=/dev/zero of=${store} bs=16k count=1 conv=notrunc,fsync status=none`),
    ];
    const results = await runSteps(vm, steps, {
      devices: [store, facts().twin],
      first: `dd if=${store} of=/dev/shm/header bs=1M count=16 status=none; cp ${key} /dev/shm/key`,
      last: `${put}\nrm /dev/shm/key\nudevadm settle`,
    });
    const problems = new Map(
      steps.map(({ name }) => [name, document(results.get(name)).units.find((unit) => unit.name === "store-key")?.problem]),
    );
    for (const { name } of steps.slice(0, -1)) {
      expect(results.get(name), name).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
      expect(problems.get(name)?.todo, name).toBeTruthy();
    }
    expect(problems.get("a header that is gone")).toMatchObject({
      found: "data without a signature that is known",
      todo: expect.stringMatching(/do not format it/),
    });
    expect(problems.get("a key file that is gone")).toMatchObject({
      what: expect.stringMatching(/is missing/),
      found: expect.stringMatching(/store/),
    });
    expect(problems.get("the key file of another node")?.what).toMatch(/does not open .*; nothing was changed$/);
    expect(results.get("a header whose first copy is gone")).toMatchObject({ status: 0, wroteConfig: false });
    await expectAllKept(vm);
    // The magic at its start is there again.
    expect(await vm.shell.ok(`cmp --bytes=8 ${store} /dev/shm/header && rm /dev/shm/header`)).toBe("");
  }));

test("where the key file is lost, the recovery passphrase saves the data and lets a new key in, as docs/operator.md says", () =>
  node.use(async (vm) => {
    const store = `${facts().disk}10`;
    // The commands of that section, in its order.
    const [
      check = "",
      open = "",
      activate = "",
      deactivate = "",
      close = "",
      add = "",
      tryNew = "",
      put = "",
      dump = "",
      kill = "",
      ...more
    ] = rescue;
    expect([kill, more], "the section has other commands now: run them here").toEqual([expect.stringContaining("luksKillSlot"), []]);
    const here = (command: string): string => command.replaceAll("/dev/vda10", store);
    const typed = (command: string): string => `printf 'a passphrase of 2026\\n' | ${here(command)}`;
    const results = await runSteps(
      vm,
      [{ name: "key gone", before: "mv /boot/config/store.keyfile /dev/shm/key", args: "--unit store-key" }],
      {
        devices: [store],
        first: `set -e\n${typed(setRecovery)} >&2`,
      },
    );
    const steps = [
      typed(check),
      typed(open),
      `${activate} >&2`,
      "mount -o ro /dev/mapper/store-shared--data /mnt && cat /mnt/marker && umount /mnt",
      `${deactivate} >&2`,
      close,
      "(umask 277; head -c 32 /dev/urandom > /boot/config/store.keyfile.new) && sync /boot/config/store.keyfile.new",
      typed(add),
      here(tryNew),
      put,
    ];
    const rescued = await vm.shell.run(["set -e", ...steps].join("\n"), { timeout: BOOT_TIMEOUT });
    const after = await runSteps(vm, [{ name: "new key", args: "--unit volume-filesystems" }]);
    const slots = await vm.shell.ok(here(dump));
    // As it was: the new key, which came last, goes by its number.
    const [last = "none"] = [...slots.matchAll(/^ {2}(\d+): luks2$/gm)].map(([, slot]) => slot).slice(-1);
    const back = [CLOSE, "set -e", typed(filled(kill, { NUMBER: last }))];
    back.push("rm -f /boot/config/store.keyfile && mv /dev/shm/key /boot/config/store.keyfile", removeRecovery);
    await vm.shell.ok(back.join("\n"), { timeout: BOOT_TIMEOUT });

    expect(results.get("key gone")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(results.get("key gone"), "store-key").problem?.todo).toContain(`cryptsetup open --readonly ${store} rescue-crypt`);
    expect([rescued.status, rescued.stdout], rescued.stderr).toEqual([0, "kept\n"]);
    expect(after.get("new key"), JSON.stringify(after.get("new key")?.document)).toMatchObject({ status: 0 });
    await expectAllKept(vm);
  }));
