import { expect, test } from "vitest";
import { hostNotifySocket, notifyHost } from "../../../../src/system/systemd/notify.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const CREDENTIAL = "/run/credentials/@system/vmm.notify_socket";

test.each(["vsock:2:1234", "vsock-stream:2:4294967295\n", "vsock-dgram:-1:1", "vsock-seqpacket:2:1234"])(
  "%j is an address of the host",
  async (value) => {
    expect(await hostNotifySocket(fakeHost({ files: { [CREDENTIAL]: value } }))).toBe(value.trim());
  },
);

test.each(["/run/host/notify", "@abstract", "vsock:2", "vsock:2:1234 --exec", ""])("%j is none", async (value) => {
  expect(await hostNotifySocket(fakeHost({ files: { [CREDENTIAL]: value } }))).toBeUndefined();
});

test("a host that offers nothing is not written to", async () => {
  expect(await hostNotifySocket(fakeHost())).toBeUndefined();
});

test("assignments go out in one message, without waiting", async () => {
  const host = fakeHost({ commands: { "systemd-notify --no-block READY=1 STATUS=up": "" } });
  await notifyHost(host, "vsock:2:1", ["READY=1", "STATUS=up"]);
  expect(host.effects).toEqual(["run systemd-notify --no-block READY=1 STATUS=up"]);
});
