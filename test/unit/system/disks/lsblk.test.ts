import { expect, test } from "vitest";
import { blockDevices } from "../../../../src/system/disks/lsblk.ts";
import { fakeHost } from "../../../support/fake-host.ts";

/** A drive with a partition, as lsblk prints them; `undefined` for a sector of a partition that has just gone away. */
function printed(sector: number | undefined): string {
  const facts = (name: string, type: string) => ({
    ...{ name, kname: name, path: `/dev/${name}`, "maj:min": "98:16", type, size: 1024, ro: false, rm: false, "log-sec": 512 },
    ...{ tran: null, model: null, serial: null, wwn: null, partuuid: null, partlabel: null, mountpoints: [null] },
  });
  const part = { ...facts("vda1", "part"), "log-sec": sector ?? null };
  return JSON.stringify({ blockdevices: [{ ...facts("vda", "disk"), children: [part] }] }, undefined, 3);
}

/** A host whose lsblk prints these, one after the other, and the last one from then on. */
function hostWith(...answers: readonly string[]) {
  let asked = 0;
  const host = fakeHost();
  const run = async () => {
    asked += 1;
    return { status: 0, stdout: answers[Math.min(asked, answers.length) - 1] ?? "", stderr: "" };
  };
  return { host: { ...host, run }, asked: () => asked };
}

test("a partition that goes away while it is inspected is asked for again: it may be there, or not", async () => {
  const { host, asked } = hostWith(printed(undefined), printed(undefined), printed(512));
  expect((await blockDevices(host)).map(({ path, children }) => [path, children.map((child) => child.path)])).toEqual([
    ["/dev/vda", ["/dev/vda1"]],
  ]);
  expect(asked()).toBe(3);
});

test("one that never becomes whole is an error, after a while; other output at once", async () => {
  const vanishing = hostWith(printed(undefined));
  await expect(blockDevices(vanishing.host)).rejects.toMatchObject({ problem: { code: "tool-output-not-known" } });
  expect(vanishing.asked()).toBe(10);
  const other = hostWith("{}");
  await expect(blockDevices(other.host)).rejects.toMatchObject({ problem: { code: "tool-output-not-known" } });
  expect(other.asked()).toBe(1);
});
