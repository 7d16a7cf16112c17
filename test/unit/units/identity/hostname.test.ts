import { expect, test } from "vitest";
import { hostname } from "../../../../src/units/identity/hostname.ts";
import { actingHost, bindingMount, failing, ROOT_AND_RUN, type ToolAction, unmountingUmount } from "../../../support/acting-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const KERNEL = "/proc/sys/kernel/hostname";
const RUNTIME = "/run/ic-node/etc/hostname";
const WRITE = `write ${RUNTIME}`;
const BIND = `bind ${RUNTIME} over /etc/hostname`;

function machine(conf: string | undefined, kernel = "localhost", tools: Readonly<Record<string, ToolAction>> = {}) {
  const files = {
    "/proc/self/mountinfo": ROOT_AND_RUN,
    "/etc/hostname": "guestos\n",
    [KERNEL]: `${kernel}\n`,
    ...(conf === undefined ? {} : { "/boot/config/network.conf": conf }),
  };
  return testMachine(actingHost({ files }, { mount: bindingMount, umount: unmountingUmount, ...tools }));
}

test("the name of network.conf becomes the kernel's and is in /etc/hostname, without the domain", async () => {
  const subject = machine("hostname=node-7\ndomain=example.org\n");
  expect(await runUnit(hostname, subject)).toEqual([WRITE, BIND, "set the host name to node-7 (was localhost)"]);
  expect(subject.host.files.get(KERNEL)).toBe("node-7");
  expect(subject.host.files.get(RUNTIME)).toBe("node-7\n");
  expect(await runUnit(hostname, subject)).toEqual([]);
});

test.each([undefined, "", "hostname=\n", "domain=example.org\n"])(
  "without a name in network.conf everything stays as it is: %j",
  async (conf) => {
    const subject = machine(conf);
    expect(await runUnit(hostname, subject)).toEqual([]);
  },
);

test("only the kernel's name is set when that alone differs", async () => {
  const subject = machine("hostname=node-7\n");
  await runUnit(hostname, subject);
  subject.host.files.set(KERNEL, "other\n");
  expect(await runUnit(hostname, subject)).toEqual(["set the host name to node-7 (was other)"]);
});

test("another name is written and bound again, as the mount would keep the old file", async () => {
  const subject = machine("hostname=node-7\n");
  await runUnit(hostname, subject);
  subject.host.files.set("/boot/config/network.conf", "hostname=node-8\n");
  const rename = "set the host name to node-8 (was node-7)";
  expect(await runUnit(hostname, subject)).toEqual([WRITE, BIND, rename]);
});

test("a mount of the file that was there before is taken away first", async () => {
  const subject = machine("hostname=node-7\n", "node-7");
  subject.host.files.set(RUNTIME, "node-7\n");
  subject.host.files.set(
    "/proc/self/mountinfo",
    `${ROOT_AND_RUN}30 22 0:23 /ic-node/etc/hostname//deleted /etc/hostname ro - tmpfs tmpfs rw\n`,
  );
  expect(await runUnit(hostname, subject)).toEqual([BIND]);
  expect(subject.host.effects).toEqual(["run umount", "run mount"]);
});

test("what else is wrong in network.conf costs the node no name", async () => {
  expect(await runUnit(hostname, machine("hostname=node-7\ndomain=localhost\nipv4_address=x\nnonsense\n"))).toHaveLength(3);
});

test("a bad name is an error with its place, and changes nothing", async () => {
  const subject = machine("# node\nhostname=bad_name!\n");
  await expect(hostname.plan(subject)).rejects.toMatchObject({ problem: { where: { file: "/boot/config/network.conf", line: 2 } } });
  expect(subject.host.effects).toEqual([]);
});

test("mount failing is an error, and the kernel's name is not set before the file is in place", async () => {
  const subject = machine("hostname=node-7\n", "localhost", { mount: failing(32, "mount: permission denied.") });
  await expect(runUnit(hostname, subject)).rejects.toMatchObject({ problem: { found: "mount: permission denied." } });
  expect(subject.host.files.get(KERNEL)).toBe("localhost\n");
});

test("an image without /etc/hostname is an error", async () => {
  const subject = machine("hostname=node-7\n");
  subject.host.files.delete("/etc/hostname");
  await expect(hostname.plan(subject)).rejects.toThrow("the image has no /etc/hostname");
});
