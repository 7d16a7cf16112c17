import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { keyRing, type KeyRole } from "../../../src/units/disks/key-ring.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { fixturesOf } from "../../support/recorded-states.ts";
import { runSteps, type Step } from "../support/workbench.ts";
import { ALL_MARKERS, CLOSE, document, expectAllKept, facts, INTENTS, intentsOf, MARKERS, node, unitOf, uuidsOf } from "./story.ts";

test("a node of the shell chain is taken over as it is, and only if its own key opens it", () =>
  node.use(async (vm) => {
    const { disk } = facts();
    const intents = await intentsOf(vm);
    const raw = randomBytes(64);
    const { bytes } = await vm.shell.run("cat /boot/config/store.keyfile");
    const derived = async (role: KeyRole): Promise<string> => {
      const host = fakeHost({ files: { [guestosLayout.config.storeKey]: bytes } });
      return escaped((await keyRing().deviceKey(host, guestosLayout, role)).expose());
    };
    const add = (key: string, device: string): string =>
      `printf '${key}' | cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file - ${device} /dev/shm/raw`;
    const first = [
      `printf '${escaped(raw)}' >/dev/shm/raw`,
      add(await derived("store"), `${disk}10`),
      add(await derived("A_var"), `${disk}6`),
      "mv /boot/config/store.keyfile /dev/shm/key; mv /boot/config/intents /dev/shm/intents; udevadm settle",
    ].join("\n");
    const steps: readonly Step[] = [
      {
        name: "another key",
        before: "dd if=/dev/urandom of=/boot/config/store.keyfile bs=64 count=1 status=none",
        args: "--unit store-key",
        fixtures: fixturesOf("a node of the shell chain, another key"),
      },
      {
        name: "its key",
        before: "cp /dev/shm/raw /boot/config/store.keyfile",
        args: "--unit volume-mounts",
        fixtures: fixturesOf("a node of the shell chain"),
      },
      { name: "again", args: "--unit volume-mounts" },
    ];
    const results = await runSteps(vm, steps, { devices: [`${disk}10`], first });
    const markers = await vm.shell.ok(MARKERS);
    const adopted = await intentsOf(vm);
    await vm.shell.ok(
      `${CLOSE}\nrm -r /boot/config/intents /boot/config/store.keyfile\ncp -r /dev/shm/intents /boot/config/\ncp /dev/shm/key /boot/config/store.keyfile\nrm -r /dev/shm/intents /dev/shm/key /dev/shm/raw`,
    );

    expect(results.get("another key")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(results.get("another key"), "store-key").problem?.found).toContain("crypto_LUKS");
    expect(results.get("its key"), JSON.stringify(results.get("its key"))).toMatchObject({ status: 0 });
    const made = document(results.get("its key")).units.flatMap(({ provisioned }) => provisioned);
    expect(
      made.filter((action) => !/^(note that|adopt) /.test(action)),
      "nothing is made, only noted",
    ).toEqual([]);
    expect(markers).toBe(ALL_MARKERS);
    expect(uuidsOf(adopted)).toEqual(uuidsOf(intents));
    expect(adopted.get("var-A")?.inner).toBe(intents.get("var-A")?.inner);
    expect([...adopted.values()].map(({ phase }) => phase)).toEqual(INTENTS.map(() => "complete"));
    expect(results.get("again")).toMatchObject({ status: 0, wroteConfig: false });
    expect(document(results.get("again")).units.flatMap(({ provisioned, activated }) => [...provisioned, ...activated])).toEqual([]);
    await expectAllKept(vm);
  }));

/** For printf. */
function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`).join("");
}
