import { expect, test } from "vitest";
import { fakeHost } from "../../support/fake-host.ts";
import { atEveryEffect, Interrupted, interruptingHost } from "../../support/interrupting-host.ts";

test("a host loses its power before the effect that was named, and does not get it back", async () => {
  const inner = fakeHost();
  const host = interruptingHost(inner, 2);
  await host.writeFile("/a", "1", { mode: 0o600 });
  await expect(host.writeFile("/b", "2", { mode: 0o600 })).rejects.toThrow(Interrupted);
  await expect(host.remove("/a")).rejects.toThrow(Interrupted);
  expect(await host.readText("/a")).toBe("1");
  expect(inner.effects).toEqual(["write 600 /a"]);
});

test("a run is interrupted before each of its effects, and then let through", async () => {
  const left: number[] = [];
  const interruptions = await atEveryEffect(
    async () => fakeHost(),
    async (subject, interrupt) => {
      const host = interrupt(subject);
      for (const path of ["/a", "/b", "/c"]) await host.writeFile(path, "", { mode: 0o600 });
    },
    async (subject) => void left.push(subject.effects.length),
  );
  expect(interruptions).toBe(3);
  expect(left).toEqual([0, 1, 2]);
});

test("an error of the run's own is not taken for an interruption", async () => {
  const run = async (): Promise<never> => Promise.reject(new Error("its own"));
  await expect(
    atEveryEffect(
      async () => fakeHost(),
      run,
      async () => undefined,
    ),
  ).rejects.toThrow("its own");
});
