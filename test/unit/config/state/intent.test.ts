import { expect, test } from "vitest";
import { type Intent, readIntent, writeIntent } from "../../../../src/config/state/intent.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const intent: Intent = { version: 1, about: "LUKS2 on /dev/vda10 (store)", uuid: "u", phase: "begun" };

test("what was written is read back", async () => {
  const host = fakeHost();
  await writeIntent(host, "/i", "store", intent);
  expect(await readIntent(host, "/i", "store")).toEqual(intent);
});

test("an intent that was never written is absent, not an error", async () => {
  expect(await readIntent(fakeHost(), "/i", "store")).toBeUndefined();
});

for (const [name, content] of Object.entries({
  "an empty file": "",
  "half a file": '{"version": 1, "ab',
  "another version": JSON.stringify({ ...intent, version: 2 }),
  "an unknown phase": JSON.stringify({ ...intent, phase: "done" }),
  "an unknown key": JSON.stringify({ ...intent, extra: true }),
  "an empty UUID": JSON.stringify({ ...intent, uuid: "" }),
})) {
  test(`${name} is an error that names the file, never "absent"`, async () => {
    const host = fakeHost({ files: { "/i/store.json": content } });
    await expect(readIntent(host, "/i", "store")).rejects.toMatchObject({ problem: { where: { file: "/i/store.json" } } });
  });
}
