import { randomBytes } from "node:crypto";
import { expect, test, vi } from "vitest";
import { type Intent } from "../../src/config/state/intent.ts";
import { guestosLayout } from "../../src/config/layout/layout.ts";
import { keyRing, type KeyRole } from "../../src/units/disks/key-ring.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { fakeHost } from "../support/fake-host.ts";
import { type RunDocument } from "./support/chain.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";
import { type Cell, cellName, cellSteps, conflictCells, type Place, putIntent, restore, save } from "./support/two-keys.ts";
import { blankDisk, runSteps, type Step, type StepResult, workbench } from "./support/workbench.ts";

/**
 * What a node's disk may be found in: every cell of the two-key table, damage, interrupted runs, the shell chain's nodes.
 *
 * Each piece begins on a node that is provisioned and has everything closed but /boot, and leaves it so.
 */

// A piece may have to boot and provision the node again, more than once.
vi.setConfig({ testTimeout: 5 * BOOT_TIMEOUT });

const NAME = "conflicts";
const INTENTS = ["store", "var-A", "volumes", ...guestosLayout.volumes.map(({ name }) => `filesystem-${name}`)];
const FOLDERS = ["/var", "/var/lib/ic/data", "/var/lib/ic/crypto", "/var/lib/ic/backup"];

interface Facts {
  /** "/dev/sda": which of the two disks comes first is the kernel's choice. */
  readonly disk: string;
  /** A second disk with the same partition names and UUIDs, and a volume group of the same name on its `store`. */
  readonly twin: string;
  readonly provisioning: RunDocument;
}
let facts: Facts;

const node = workbench({
  name: NAME,
  diskInterface: "scsi",
  extraDisks: [{ path: await blankDisk(NAME, "8G"), interface: "scsi" }],
  async prepare(vm) {
    const root = (await vm.shell.ok("findmnt --noheadings --output SOURCE /")).trim();
    const disk = root.replace(/\d+$/, "");
    const twin = disk === "/dev/sda" ? "/dev/sdb" : "/dev/sda";
    await vm.shell.ok(makeTwin(disk, twin), { timeout: BOOT_TIMEOUT });
    const steps = [{ name: "first run", args: "--unit volume-mounts" }];
    const last = [...FOLDERS.map((folder) => `echo kept >${folder}/marker`), CLOSE].join("\n");
    const result = (await runSteps(vm, steps, { devices: [twin], first: oldLabel(disk), last })).get("first run");
    if (result?.status !== 0 || result.wroteDevice)
      throw new Error(`the first run failed, or wrote to the other disk: ${JSON.stringify(result)}`);
    facts = { disk, twin, provisioning: document(result) };
  },
});

/** Everything but /boot: mounts, swap, volumes, opened devices. */
const CLOSE = `
  swapoff --all
  umount --quiet /run/guestos-boot/var
  umount --quiet --recursive /var
  udevadm settle
  for mapping in /dev/mapper/store-* /dev/mapper/*crypt; do [[ ! -e $mapping ]] || dmsetup remove --retry "$mapping" >&2; done
  udevadm settle
`;
const MARKERS = FOLDERS.map((folder) => `echo ${folder} $(<${folder}/marker)`).join("\n");
const ALL_MARKERS = FOLDERS.map((folder) => `${folder} kept\n`).join("");

/** What an earlier owner of the disk has left at its end, before the place of the backup GPT. */
function oldLabel(disk: string): string {
  const place = `$(($(blockdev --getsize64 ${disk}) / 4096 - 8))`;
  return `printf 'of someone%.0s' {1..300} | dd of=${disk} bs=4096 seek=${place} conv=notrunc,fsync status=none`;
}

function makeTwin(disk: string, twin: string): string {
  const lvm = `--config 'devices/global_filter=["a|.*|"]'`;
  return `
    set -e
    { sfdisk --dump ${disk} | grep -v '^last-lba'; echo 'name=store'; } | sfdisk --quiet --lock=yes ${twin}
    udevadm settle
    vgcreate --quiet --yes ${lvm} store ${twin}10 >&2
    lvcreate --quiet --yes ${lvm} --activate n --zero n --extents 10 --name shared-data store >&2
    udevadm settle
    sync
  `;
}

function document(result: StepResult | undefined): RunDocument {
  if (result === undefined) throw new Error("there was no such step");
  return result.document;
}

function unitOf(result: StepResult | undefined, name: string): RunDocument["units"][number] {
  const unit = document(result).units.find((one) => one.name === name);
  if (unit === undefined) throw new Error(`${name} did nothing:\n${JSON.stringify(document(result), undefined, 2)}`);
  return unit;
}

async function intentsOf(vm: VirtualMachine): Promise<ReadonlyMap<string, Intent>> {
  const text = await vm.shell.ok(
    'cd /boot/config/intents; for file in *.json; do printf \'%s\\x1f%s\\x1e\' "${file%.json}" "$(<$file)"; done',
  );
  const entries = text.split("\x1e").slice(0, -1);
  return new Map(entries.map((entry) => entry.split("\x1f")).map(([name = "", json = ""]) => [name, JSON.parse(json) as Intent]));
}

function intentIn(intents: ReadonlyMap<string, Intent>, name: string): Intent {
  const intent = intents.get(name);
  if (intent === undefined) throw new Error(`there is no intent ${name}`);
  return intent;
}

/** The identity of everything that is made, as blkid sees it. */
async function identities(vm: VirtualMachine): Promise<Readonly<Record<string, string>>> {
  const { disk } = facts;
  const store = `/dev/mapper/${disk.slice("/dev/".length)}10-crypt`;
  const devices: Readonly<Record<string, string>> = {
    store: `${disk}10`,
    "var-A": `${disk}6`,
    volumes: store,
    ...Object.fromEntries(guestosLayout.volumes.map(({ name }) => [`filesystem-${name}`, volumeDevice(name)])),
  };
  const list = await vm.shell.ok(
    Object.values(devices)
      .map((device) => `echo "$(blkid --probe --output value --match-tag UUID ${device})"`)
      .join("\n"),
  );
  const uuids = list.split("\n");
  return Object.fromEntries(Object.keys(devices).map((name, index) => [name, uuids[index] ?? ""]));
}

function volumeDevice(name: string): string {
  return `/dev/mapper/store-${name.replaceAll("-", "--")}`;
}

function uuidsOf(intents: ReadonlyMap<string, Intent>): Readonly<Record<string, string>> {
  return Object.fromEntries([...intents].map(([name, { uuid }]) => [name, uuid]));
}

/** A full run of the disk's units: how it went, what the markers say, and everything closed again. */
async function fullRun(vm: VirtualMachine): Promise<{ readonly result: StepResult | undefined; readonly markers: string }> {
  const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts" }]);
  const markers = await vm.shell.ok(`{ ${MARKERS}\n} 2>/dev/null`);
  return { result: results.get("run"), markers };
}

async function expectAllKept(vm: VirtualMachine): Promise<void> {
  const { result, markers } = await fullRun(vm);
  await vm.shell.ok(CLOSE);
  expect(result, JSON.stringify(result?.document)).toMatchObject({ status: 0, wroteConfig: false, document: { outcome: "done" } });
  expect(document(result).units.filter(({ outcome }) => outcome !== "unchanged")).toEqual([]);
  expect(markers).toBe(ALL_MARKERS);
}

test("none × blank: everything is made on a disk where nothing is, and the intents say what was made", () =>
  node.use(async (vm) => {
    const { provisioning } = facts;
    expect(provisioning.outcome).toBe("done");
    for (const name of ["store-key", "var", "volumes", "volume-filesystems"]) {
      expect(provisioning.units.find((unit) => unit.name === name)?.outcome, name).toBe("changed");
    }
    const intents = await intentsOf(vm);
    expect([...intents.keys()].toSorted()).toEqual(INTENTS.toSorted());
    expect([...intents.values()].map(({ phase }) => phase)).toEqual(INTENTS.map(() => "complete"));
  }));

test("complete × ours: everything is kept, and what was written is there", () =>
  node.use(async (vm) => {
    const { result, markers } = await fullRun(vm);
    expect(result, JSON.stringify(result?.document)).toMatchObject({ status: 0, wroteConfig: false, document: { outcome: "done" } });
    expect(document(result).units.flatMap(({ provisioned }) => provisioned)).toEqual([]);
    expect(markers).toBe(ALL_MARKERS);
    expect(await identities(vm)).toEqual(uuidsOf(await intentsOf(vm)));
    const store = `/dev/mapper/${facts.disk.slice("/dev/".length)}10-crypt`;
    // Zeroed when it was made; no volume lies there.
    expect(await vm.shell.ok(`tail --bytes=1M ${store} | cmp --bytes=1048576 - /dev/zero && echo zeros`)).toBe("zeros\n");
    expect(await vm.shell.ok(`tail --bytes=64K ${facts.disk} | grep --count --text 'of someone' || :`)).toBe("0\n");
    await vm.shell.ok(CLOSE);
  }));

/** A place, once it is known which disk is the node's; and what must be open before it can be inspected. */
type PlaceOf = (disk: string) => Place & { readonly open: string };

const OPEN_STORE = "guestos-boot --unit store-key >&2";
const OPEN_VOLUMES = "guestos-boot --unit volumes >&2";

const places: Readonly<Record<string, PlaceOf>> = {
  "the store partition": (disk) => ({
    ...{ intent: "store", unit: "store-key", device: `${disk}10`, uuid: { offset: 168, as: "text" }, raw: true, everyKind: true, open: "" },
    foreign: { script: `mkswap --quiet ${disk}10`, type: "swap" },
  }),
  "the var partition": (disk) => ({
    ...{ intent: "var-A", unit: "var", device: `${disk}6`, uuid: { offset: 168, as: "text" }, raw: true, open: OPEN_STORE },
    foreign: { script: `mkfs.vfat -F 32 ${disk}6 >/dev/null`, type: "vfat" },
  }),
  "the volume group": (disk) => {
    const device = `/dev/mapper/${disk.slice("/dev/".length)}10-crypt`;
    // LVM's label is in the second sector.
    return {
      ...{ intent: "volumes", unit: "volumes", device, uuid: { offset: 512 + 32, as: "text" }, raw: false, open: OPEN_STORE },
      foreign: { script: `mkswap --quiet ${device}`, type: "swap" },
    };
  },
  "an ext4 volume": () => volumePlace("shared-crypto", 1024 + 0x68, "swap"),
  "the xfs volume": () => volumePlace("shared-data", 32, "swap"),
  "the swap volume": () => volumePlace("shared-swap", 1024 + 12, "vfat"),
};

function volumePlace(name: string, offset: number, type: "swap" | "vfat"): ReturnType<PlaceOf> {
  const device = volumeDevice(name);
  const script = type === "swap" ? `mkswap --quiet ${device}` : `mkfs.vfat -F 32 ${device} >/dev/null`;
  const unit = "volume-filesystems";
  return {
    intent: `filesystem-${name}`,
    unit,
    device,
    uuid: { offset, as: "binary" },
    raw: false,
    open: OPEN_VOLUMES,
    foreign: { script, type },
  };
}

/** /var and the volume group depend on the store alone, and are inspected by the same runs. */
const groups = [
  ["the store partition"],
  ["the var partition", "the volume group"],
  ["an ext4 volume"],
  ["the xfs volume"],
  ["the swap volume"],
].map((titles) => ({ titles, title: titles.join(" and ") }));

test.for(groups)("every conflict of the table is one, names what it is about, and touches nothing: $title", ({ titles }) =>
  node.use(async (vm) => {
    const intents = await intentsOf(vm);
    const guarded = titles.map((title) => {
      const place = places[title]?.(facts.disk);
      if (place === undefined) throw new Error(title);
      return { place, intent: intentIn(intents, place.intent) };
    });
    const results = await runSteps(vm, cellSteps(guarded), {
      devices: [...guarded.map(({ place }) => place.device), facts.twin],
      first: [...new Set(guarded.map(({ place }) => place.open)), ...guarded.map(({ place }) => save(place))].join("\n"),
      last: [...guarded.map(({ place, intent }) => restore(place, intent)), CLOSE].join("\n"),
    });
    for (const { place, intent } of guarded) {
      for (const [index, cell] of conflictCells(place).entries()) expectConflict(place, intent, cell, results.get(`cell ${index}`));
    }
  }),
);

function expectConflict(place: Place, intent: Intent, { phase, content }: Cell, result: StepResult | undefined): void {
  const name = `${place.device}: ${cellName({ phase, content })}`;
  expect(result, name).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
  const { outcome, problem } = unitOf(result, place.unit);
  expect(outcome, name).toBe("failed");
  expect(problem?.what, name).toContain(place.device);
  expect(problem?.what, name).toMatch(/does not hold what it should; it was not changed$/);
  const found = {
    ours: intent.uuid,
    // LVM writes its identifiers in groups.
    "other-uuid": place.unit === "volumes" ? "0f0f0f-0f" : "0f0f0f0f",
    blank: "nothing",
    foreign: place.foreign.type,
    unknown: "data without a signature that is known",
  };
  expect(problem?.found, name).toContain(found[content]);
  const expected = { none: /^nothing, as on a node/, begun: /begun before$/, complete: /made and completed before$/ };
  expect(problem?.expected, name).toMatch(expected[phase]);
  if (phase !== "none") expect(problem?.expected, name).toContain(intent.uuid);
  expect(problem?.todo, name).toMatch(/docs\/operator\.md, 'Conflicts'/);
}

test("a header or a key that is damaged or gone stops everything, and is all that has to be restored", () =>
  node.use(async (vm) => {
    const store = `${facts.disk}10`;
    const key = "/boot/config/store.keyfile";
    const put = `cp /dev/shm/key ${key}`;
    const header = `dd if=/dev/shm/header of=${store} bs=1M conv=notrunc,fsync status=none`;
    const args = "--unit store-key";
    const steps: readonly Step[] = [
      // Both headers; the key slots stand behind them.
      { name: "no header", before: `dd if=/dev/zero of=${store} bs=32k count=1 conv=notrunc,fsync status=none`, args },
      { name: "nothing at all", before: `dd if=/dev/zero of=${store} bs=1M count=16 conv=notrunc,fsync status=none`, args },
      { name: "no key", before: `${header}\nrm ${key}`, args },
      { name: "half a key", before: `dd if=/dev/shm/key of=${key} bs=100 count=1 status=none`, args },
      { name: "an empty key", before: `: >${key}`, args },
      // As a raw one, which is what a key file without a header is.
      { name: "another key", before: `dd if=/dev/urandom of=${key} bs=64 count=1 status=none`, args },
      // cryptsetup itself repairs it from the second one.
      { name: "no first header", before: `${put}\ndd if=/dev/zero of=${store} bs=16k count=1 conv=notrunc,fsync status=none`, args },
    ];
    const results = await runSteps(vm, steps, {
      devices: [store, facts.twin],
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
    expect(problems.get("no header")).toMatchObject({
      found: "data without a signature that is known",
      todo: expect.stringMatching(/do not format it/),
    });
    expect(problems.get("nothing at all")).toMatchObject({ found: "nothing", todo: expect.stringMatching(/do not format it/) });
    expect(problems.get("no key")).toMatchObject({ what: expect.stringMatching(/is missing/), found: expect.stringMatching(/store/) });
    expect(problems.get("half a key")).toMatchObject({ what: "the store key is damaged", where: { file: key } });
    expect(problems.get("an empty key")).toMatchObject({ what: "the store key is damaged", where: { file: key } });
    expect(problems.get("another key")?.what).toMatch(/does not open .*; nothing was changed$/);
    expect(results.get("no first header")).toMatchObject({ status: 0, wroteConfig: false });
    await expectAllKept(vm);
    // The magic at its start is there again.
    expect(await vm.shell.ok(`cmp --bytes=8 ${store} /dev/shm/header && rm /dev/shm/header`)).toBe("");
  }));

test("where the key file is lost, the recovery passphrase saves the data and lets a new key in, as docs/operator.md says", () =>
  node.use(async (vm) => {
    const store = `${facts.disk}10`;
    const here = (command: string): string => command.replaceAll("/dev/vda10", store);
    const typed = (command: string): string => `printf 'a passphrase of 2026\\n' | ${here(command)}`;
    const results = await runSteps(
      vm,
      [{ name: "key gone", before: "mv /boot/config/store.keyfile /dev/shm/key", args: "--unit store-key" }],
      {
        devices: [store],
        first: `set -e\n${typed("guestos-boot recovery-passphrase set")} >&2`,
      },
    );
    const steps = [
      typed("cryptsetup open --test-passphrase /dev/vda10"),
      typed("cryptsetup open --readonly /dev/vda10 rescue-crypt"),
      "vgchange --activate y store >&2",
      "mount -o ro /dev/mapper/store-shared--data /mnt && cat /mnt/marker && umount /mnt",
      "vgchange --activate n store >&2",
      "cryptsetup close rescue-crypt",
      "(umask 277; head -c 32 /dev/urandom > /boot/config/store.keyfile.new) && sync /boot/config/store.keyfile.new",
      typed("cryptsetup luksAddKey --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vda10 /boot/config/store.keyfile.new"),
      here("cryptsetup open --test-passphrase --key-file /boot/config/store.keyfile.new /dev/vda10"),
      "mv --no-clobber /boot/config/store.keyfile.new /boot/config/store.keyfile && sync /boot/config",
    ];
    const rescued = await vm.shell.run(["set -e", ...steps].join("\n"), { timeout: BOOT_TIMEOUT });
    const after = await runSteps(vm, [{ name: "new key", args: "--unit volume-filesystems" }]);
    const slots = await vm.shell.ok(here("cryptsetup luksDump /dev/vda10"));
    // As it was: the new key, which came last, goes by its number.
    const [last = "none"] = [...slots.matchAll(/^ {2}(\d+): luks2$/gm)].map(([, slot]) => slot).slice(-1);
    const back = [CLOSE, "set -e", typed("cryptsetup luksKillSlot /dev/vda10 NUMBER".replace("NUMBER", last))];
    back.push("rm -f /boot/config/store.keyfile && mv /dev/shm/key /boot/config/store.keyfile", "guestos-boot recovery-passphrase remove");
    await vm.shell.ok(back.join("\n"), { timeout: BOOT_TIMEOUT });

    expect(results.get("key gone")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(results.get("key gone"), "store-key").problem?.todo).toContain(`cryptsetup open --readonly ${store} rescue-crypt`);
    expect([rescued.status, rescued.stdout], rescued.stderr).toEqual([0, "kept\n"]);
    expect(after.get("new key"), JSON.stringify(after.get("new key")?.document)).toMatchObject({ status: 0 });
    await expectAllKept(vm);
  }));

test("a mapping that someone else opened under our name is a conflict", () =>
  node.use(async (vm) => {
    const mapping = `${facts.disk.slice("/dev/".length)}10-crypt`;
    const results = await runSteps(vm, [{ name: "zeros", args: "--unit store-key" }], {
      devices: [`${facts.disk}10`],
      first: `dmsetup create ${mapping} --table '0 2048 zero'`,
      last: CLOSE,
    });
    const { problem } = unitOf(results.get("zeros"), "store-key");
    expect(results.get("zeros")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(problem?.what).toBe(`/dev/mapper/${mapping} is already open, on another device`);
  }));

test("a store partition that the kernel has lost is not made again, and not taken for blank", () =>
  node.use(async (vm) => {
    const { disk } = facts;
    const intent = "/boot/config/intents/store.json";
    const steps: readonly Step[] = [
      { name: "complete", before: `partx --delete --nr 10 ${disk}`, args: "--unit store-key" },
      { name: "no intent", before: `mv ${intent} /dev/shm/store.json`, args: "--unit store-key" },
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
    const { disk } = facts;
    const rename = (name: string): string =>
      `sfdisk --quiet --no-reread --no-tell-kernel --part-label ${disk} 9 ${name}; partx --delete --nr 9 ${disk}; partx --add --nr 9 ${disk}; udevadm settle`;
    const results = await runSteps(vm, [{ name: "two", args: "--unit store-key" }], {
      devices: [`${disk}10`],
      first: rename("store"),
      last: rename("B_var"),
    });
    expect(results.get("two")).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(results.get("two"), "store-key").problem?.found).toMatch(/^\w+9 and \w+10$/);
  }));

test("what only holds a file system of ours is mounted: other mounts, damage, dirty logs", () =>
  node.use(async (vm) => {
    const [data, crypto, backup] = [volumeDevice("shared-data"), volumeDevice("shared-crypto"), volumeDevice("shared-backup")];
    const args = "--unit volume-mounts";
    const steps: readonly Step[] = [
      { name: "something else is mounted", before: "mount --types tmpfs someone /var/lib/ic/data", args },
      {
        name: "a copy is mounted",
        // The same blocks by another name, and nothing of them is replayed there.
        before: `
          umount /var/lib/ic/data
          mount ${data} /var/lib/ic/data
          for name in 1 2 3 4 5 6; do echo $name >/var/lib/ic/data/synced$name; sync /var/lib/ic/data/synced$name; done
          xfs_io -x -c shutdown /var/lib/ic/data
          umount /var/lib/ic/data
          copy=$(losetup --find --show --read-only ${data})
          mount -t xfs -o ro,norecovery $copy /mnt
        `,
        args,
      },
      {
        name: "damage",
        // Behind the record that is damaged are more than those eight of which the kernel takes one for torn, and the log as ending there.
        before: `
          umount /mnt /var/lib/ic/crypto /var/lib/ic/backup
          losetup --detach $copy
          mount ${data} /var/lib/ic/data
          cat /var/lib/ic/data/synced{1,2,3,4,5,6} >&2
          rm /var/lib/ic/data/synced*
          umount /var/lib/ic/data
          mount ${data} /var/lib/ic/data
          for name in {1..12}; do echo lost >/var/lib/ic/data/late$name; sync /var/lib/ic/data/late$name; done
          xfs_io -x -c shutdown /var/lib/ic/data
          umount /var/lib/ic/data
          start=$(xfs_db -r -c 'sb 0' -c 'print logstart' ${data})
          start=$(xfs_db -r -c "convert fsblock \${start##* } daddr" ${data})
          start=\${start##*'('}
          tail=$(xfs_logprint -t ${data} | sed -n 's/.*log tail: \\([0-9]*\\) head.*/\\1/p')
          printf '\\0\\0\\0c' | dd of=${data} bs=1 seek=$(((\${start%')'*} + tail) * 512 + 8)) conv=notrunc,fsync status=none
          debugfs -w -R 'set_super_value state 2' ${crypto} 2>/dev/null
          debugfs -w -R 'set_super_value free_blocks_count 7' ${backup} 2>/dev/null
          debugfs -w -R 'set_super_value state 0' ${backup} 2>/dev/null
        `,
        args,
      },
    ];
    const results = await runSteps(vm, steps, { devices: [data], first: "guestos-boot --unit volume-filesystems --unit var >&2" });
    const markers = await vm.shell.ok(MARKERS);
    await vm.shell.ok(CLOSE);
    const inTheWay = unitOf(results.get("something else is mounted"), "volume-mounts");
    expect(inTheWay.problem).toMatchObject({ what: "something else is mounted at /var/lib/ic/data", found: "someone", expected: data });
    const copied = results.get("a copy is mounted");
    expect(copied, JSON.stringify(copied)).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
    expect(unitOf(copied, "volume-mounts")).toMatchObject({
      notes: [],
      problem: {
        what: `the kernel does not mount shared-data (${data}) at /var/lib/ic/data; it was not repaired, because nothing shows that it is damaged`,
        found: expect.stringContaining("has duplicate UUID"),
      },
    });
    const damage = unitOf(results.get("damage"), "volume-mounts");
    expect(damage.outcome, JSON.stringify(damage)).toBe("unchanged");
    const [thrownAway, ...repaired] = damage.notes.toSorted().toReversed();
    expect(thrownAway).toMatch(/^the log of shared-data cannot be replayed \(XFS .*\): it will be discarded/);
    expect(repaired.toReversed()).toEqual([
      "the file system of shared-backup was damaged and has been repaired",
      "the file system of shared-crypto was damaged and has been repaired",
      "the file system of shared-data was damaged and has been repaired",
    ]);
    expect(markers).toBe(ALL_MARKERS);
    await expectAllKept(vm);
  }));

test("a node of the shell chain is taken over as it is, and only if its own key opens it", () =>
  node.use(async (vm) => {
    const { disk } = facts;
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
      },
      { name: "its key", before: "cp /dev/shm/raw /boot/config/store.keyfile", args: "--unit volume-mounts" },
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

test("begun × ours: what was begun is finished, from whatever an interrupted run left", () =>
  node.use(async (vm) => {
    const intents = await intentsOf(vm);
    const store = `/dev/mapper/${facts.disk.slice("/dev/".length)}10-crypt`;
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
    const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts" }], { first, devices: [facts.twin] });
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

/** A full run after `first`, of which something is made again: how it went, and what stands then. Everything is marked and closed again. */
async function madeAgain(
  vm: VirtualMachine,
  first: string,
): Promise<{
  readonly result: StepResult | undefined;
  readonly made: Readonly<Record<string, string>>;
  readonly after: ReadonlyMap<string, Intent>;
}> {
  const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts" }], { first, devices: [facts.twin] });
  const [made, after] = [await identities(vm), await intentsOf(vm)];
  await vm.shell.ok([...FOLDERS.map((folder) => `echo kept >${folder}/marker`), CLOSE].join("\n"));
  return { result: results.get("run"), made, after };
}

test("begun × a format that was cut off before there was a header: it is done again", () =>
  node.use(async (vm) => {
    const { disk } = facts;
    const var6 = `${disk}6`;
    const intents = await intentsOf(vm);
    // Noise where key slots will be, less than all of it; and what a luksFormat writes last is not there.
    const first = [
      `dd if=/dev/zero of=${var6} bs=1M count=16 conv=notrunc,fsync status=none`,
      `dd if=/dev/urandom of=${var6} bs=32k seek=1 count=66 conv=notrunc,fsync status=none; udevadm settle`,
      putIntent("var-A", intentIn(intents, "var-A"), "begun"),
    ].join("\n");
    const { result, made, after } = await madeAgain(vm, first);
    expect(result, JSON.stringify(result)).toMatchObject({ status: 0, wroteDevice: false });
    expect(unitOf(result, "var").provisioned).toContainEqual(expect.stringMatching(/^encrypt/));
    expect(after).toEqual(intents);
    expect({ ...made }).toEqual(uuidsOf(intents));
  }));

test("begun × blank, and begun with half a header: everything is made again, with the identity that was chosen before", () =>
  node.use(async (vm) => {
    const { disk } = facts;
    const intents = await intentsOf(vm);
    const first = [
      // The run was killed after the partition stood in the table, and before the kernel was told of it.
      `dd if=/dev/zero of=${disk}10 bs=1M count=16 conv=fsync status=none; udevadm settle; partx --delete --nr 10 ${disk}`,
      // And while the header of /var had no key slot yet.
      `cryptsetup luksErase --batch-mode ${disk}6; udevadm settle`,
      ...INTENTS.map((name) => putIntent(name, intentIn(intents, name), "begun")),
    ].join("\n");
    const { result, made, after } = await madeAgain(vm, first);
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
