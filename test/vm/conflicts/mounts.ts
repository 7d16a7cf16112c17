import { expect, test } from "vitest";
import { runSteps, type Step } from "../support/workbench.ts";
import { volumeDevice } from "../../support/two-keys.ts";
import { ALL_MARKERS, CLOSE, expectAllKept, MARKERS, node, unitOf } from "./story.ts";

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
