import { expect, test } from "vitest";
import { missingOfVolumes, withVolume } from "../../../src/setupos/volumes.ts";
import { blockDevices } from "../../../src/system/disks/lsblk.ts";
import { CommandError } from "../../../src/system/command.ts";
import { fakeHost, type FakeHost } from "../../support/fake-host.ts";

const GIB = 2 ** 30;
const DRIVE = 2048 * GIB;
/** The host's own partition as the table has it: all of the drive but its ends. */
const LARGE = DRIVE - 4 * GIB;

/** A drive whose table was just made to end at its end, while the kernel still sees a partition of that many bytes until it reads the table so often. */
function machineWith(seen: number, untilRead: number): FakeHost & { readonly reads: () => number } {
  let reads = 0;
  const host = fakeHost();
  const table = [
    { start: 2048, size: 20_480 },
    { start: 22_528, size: 20_480 },
    { start: (4 * GIB - 2 ** 20) / 512, size: LARGE / 512 },
  ];
  const device = (bytes: number): object => ({
    ...{ kname: "nvme0n1", path: "/dev/nvme0n1", "maj:min": "259:0", type: "disk", size: DRIVE, ro: false, rm: false, "log-sec": 512 },
    children: [
      { kname: "nvme0n1p3", path: "/dev/nvme0n1p3", "maj:min": "259:3", type: "part", size: bytes, ro: false, rm: false, "log-sec": 512 },
    ],
  });
  return {
    ...host,
    reads: () => reads,
    async run(command) {
      const answer = (stdout: string) => ({ status: 0, stdout, stderr: "" });
      switch (command.program) {
        case "sfdisk":
          return answer(JSON.stringify({ partitiontable: { sectorsize: 512, partitions: table } }));
        case "lsblk":
          return answer(JSON.stringify({ blockdevices: [device(reads >= untilRead ? LARGE : seen)] }));
        case "blockdev":
          reads += 1;
          if (reads < untilRead) throw new CommandError(command, { kind: "exited", status: 1 }, "Device or resource busy");
          return answer("");
        default:
          return answer(
            JSON.stringify({
              report: [
                {
                  pv: [
                    {
                      pv_name: "/dev/nvme0n1p3",
                      vg_name: "hostlvm",
                      pv_size: "1",
                      dev_size: "1",
                      pv_pe_count: "0",
                      pv_pe_alloc_count: "0",
                    },
                  ],
                },
              ],
              log: [],
            }),
          );
      }
    },
  };
}

test("what LVM is asked of is the partition that the table has, and not a smaller one that the kernel still sees", async () => {
  const host = machineWith(90 * GIB, 2);
  const [system] = await blockDevices(host);
  if (system === undefined) throw new Error("no drive");
  expect(await missingOfVolumes(host, { system, others: [] })).toEqual([]);
  expect(host.reads()).toBe(2);
});

test("LVM is tried again while udev probes a drive; another failure ends the installation at once", async () => {
  const asked: string[] = [];
  const failing = (stderr: string): FakeHost => {
    const host = machineWith(LARGE, 0);
    return {
      ...host,
      async run(command) {
        if (command.program !== "vgchange") return host.run(command);
        asked.push(stderr);
        if (asked.length < 3) throw new CommandError(command, { kind: "exited", status: 5 }, stderr);
        throw new CommandError(command, { kind: "exited", status: 5 }, "no such group");
      },
    };
  };
  const [system] = await blockDevices(machineWith(LARGE, 0));
  if (system === undefined) throw new Error("no drive");
  for (const [stderr, times] of [
    ["Can't open /dev/nvme0n1p3 exclusively.", 3],
    ["Volume group hostlvm not found.", 1],
  ] as const) {
    asked.length = 0;
    await expect(withVolume(failing(stderr), { system, others: [] }, "config", async () => undefined)).rejects.toThrow(/vgchange/);
    expect(asked).toHaveLength(times);
  }
});
