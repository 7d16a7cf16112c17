import { expect, test } from "vitest";
import { fixturesOf } from "../../support/recorded-states.ts";
import { runSteps, type Step } from "../support/workbench.ts";
import { CLOSE, expectAllKept, facts, node, unitOf } from "./story.ts";

test("a mapping that someone else opened under our name is a conflict", () =>
  node.use(async (vm) => {
    const mapping = `${facts().disk.slice("/dev/".length)}10-crypt`;
    const results = await runSteps(
      vm,
      [{ name: "zeros", args: "--unit store-key", fixtures: fixturesOf("a mapping that someone else opened") }],
      {
        devices: [`${facts().disk}10`],
        first: `dmsetup create ${mapping} --table '0 2048 zero'`,
        last: CLOSE,
      },
    );
    const { problem } = unitOf(results.get("zeros"), "store-key");
    expect(results.get("zeros")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(problem?.what).toBe(`/dev/mapper/${mapping} is already open, on another device`);
  }));

test("a store partition that the kernel has lost is not made again, and not taken for blank", () =>
  node.use(async (vm) => {
    const { disk } = facts();
    const intent = "/boot/config/intents/store.json";
    const steps: readonly Step[] = [
      {
        name: "complete",
        before: `partx --delete --nr 10 ${disk}`,
        args: "--unit store-key",
        fixtures: fixturesOf("a partition that the kernel has lost"),
      },
      {
        name: "no intent",
        before: `mv ${intent} /dev/shm/store.json`,
        args: "--unit store-key",
        fixtures: fixturesOf("a partition that the kernel has lost, without its intent"),
      },
      { name: "once more", args: "--unit store-key" },
    ];
    const first = `dd if=${disk}10 of=/dev/shm/header bs=1M count=32 status=none`;
    const results = await runSteps(vm, steps, { first, last: `cp /dev/shm/store.json ${intent}; rm /dev/shm/store.json; udevadm settle` });
    expect(await vm.shell.ok(`cmp --bytes=$((32 * 1024 * 1024)) ${disk}10 /dev/shm/header && rm /dev/shm/header`)).toBe("");
    const problem = (name: string): string | undefined => unitOf(results.get(name), "store-key").problem?.what;
    for (const { name } of steps) expect(results.get(name), name).toMatchObject({ status: 3, wroteDevice: false });
    expect(problem("complete")).toMatch(/^the partition store is missing from /);
    expect(problem("no intent")).toMatch(/is not empty; it was not changed$/);
    expect(problem("once more")).toMatch(/does not hold what it should; it was not changed$/);
    await expectAllKept(vm);
  }));

test("two partitions of one name: neither is taken", () =>
  node.use(async (vm) => {
    const { disk } = facts();
    const rename = (name: string): string =>
      `sfdisk --quiet --no-reread --no-tell-kernel --part-label ${disk} 9 ${name}; partx --delete --nr 9 ${disk}; partx --add --nr 9 ${disk}; udevadm settle`;
    const results = await runSteps(vm, [{ name: "two", args: "--unit store-key", fixtures: fixturesOf("two partitions of one name") }], {
      devices: [`${disk}10`],
      first: rename("store"),
      last: rename("B_var"),
    });
    expect(results.get("two")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(results.get("two"), "store-key").problem?.found).toMatch(/^\w+9 and \w+10$/);
  }));
