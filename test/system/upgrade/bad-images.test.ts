import { expect, test } from "vitest";
import { oneLine, ProblemError } from "../../../src/base/problem.ts";
import { readRefusedImages, readSlotRecord } from "../../../src/upgrade/slot-state.ts";
import { badImages } from "../../support/bad-images/bad-images.ts";
import { sha256Of } from "../../support/update-images.ts";
import { bytesSource, upgradeMachine } from "../../support/upgrade-machine.ts";

const cases = badImages();

test("there are at least 200 bad images, no two alike", () => {
  expect(new Set(cases.map(({ bytes, asked }) => `${asked} ${sha256Of(bytes)}`)).size).toBeGreaterThanOrEqual(200);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test.each(cases)("$name: refused, and nothing of the running system is touched", async ({ bytes, says, asked }) => {
  using machine = upgradeMachine();
  const before = machine.untouchable();
  const own = sha256Of(bytes);
  const trust = asked === undefined ? ({ kind: "insecure" } as const) : ({ kind: "hash", sha256: asked } as const);
  const error = await machine.install(bytesSource(bytes, 4000), { trust }).then(
    () => "installed",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProblemError);
  expect(error instanceof ProblemError ? oneLine(error.problem) : "").toMatch(says);
  // Whatever finds it out, the one who installs is told which image it is.
  expect(error instanceof ProblemError ? error.problem.where : undefined).toEqual({ file: "update.tar" });
  expect(machine.untouchable()).toBe(before);
  expect((await readSlotRecord(machine.host, machine.layout, "B"))?.kind).not.toBe("installed");
  // No one vouched for these bytes, so that nothing can be held against any hash.
  expect(await readRefusedImages(machine.host, machine.layout)).toEqual([]);
  if (asked !== undefined) return;

  // The same bytes, asked for by their own hash: this image is bad, wherever it comes from. It is tried once.
  const named = { trust: { kind: "hash", sha256: own } } as const;
  await expect(machine.install(bytesSource(bytes, 100_000), named)).rejects.toThrow(says);
  expect((await readRefusedImages(machine.host, machine.layout)).map(({ sha256 }) => sha256)).toEqual([own]);
  await expect(machine.install(bytesSource(bytes), named)).rejects.toThrow("this image was tried or refused before");
  expect(machine.untouchable()).toBe(before);
});
