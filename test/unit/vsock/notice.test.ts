import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { handedOverFiles } from "../../../src/vsock/host-actions.ts";
import { showNotice } from "../../../src/vsock/notice.ts";
import { fakeHost } from "../../support/fake-host.ts";

const folder = mkdtempSync(join(tmpdir(), "guestos-boot-notice-"));

async function shown(notice: string, signal?: AbortSignal): Promise<string> {
  const console = join(folder, "console");
  writeFileSync(console, "");
  const host = fakeHost({ files: { [handedOverFiles(guestosLayout).notice]: notice } });
  await showNotice(signal === undefined ? host : { ...host, signal }, guestosLayout, [console, join(folder, "none")]);
  return readFileSync(console, "utf8").replaceAll(/^\[ *[\d.]+\] guest\[\d+\]: /gm, "guest: ");
}

test("a notice is shown as often as it asks for, two seconds apart, and each line says whose it is", async () => {
  const began = Date.now();
  expect(await shown(JSON.stringify({ count: 2, message: "the node\r\nhas\tjoined" }))).toBe(
    "guest: the node\nguest: has joined\n".repeat(2),
  );
  expect(Date.now() - began).toBeGreaterThan(1900);
});

test("nothing in it moves the cursor, or looks like a line of the host's", async () => {
  const text = "\u001b[2J\u0007gone\u009b1A\r[    1.000000] systemd[1]: all is well";
  expect(await shown(JSON.stringify({ count: 1, message: text }))).toBe(
    "guest: ?[2J?gone?1A\nguest: [    1.000000] systemd[1]: all is well\n",
  );
});

test("none at all: not a single time, or none that can be read", async () => {
  expect(await shown(JSON.stringify({ count: 0, message: "x" }))).toBe("");
  for (const wrong of ["", "{", '{"count":1}', JSON.stringify({ count: 1, message: "x".repeat(2000) })])
    await expect(shown(wrong)).rejects.toThrow(/no notice of the guest/);
});

test("a signal ends it after the first time", async () => {
  expect(await shown(JSON.stringify({ count: 10, message: "x" }), AbortSignal.timeout(100))).toBe("guest: x\n");
});
