import { expect, test } from "vitest";
import { volumeMounts } from "../../../../src/units/disks/volume-mounts.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

// Vitest fails for a rejection that no one handles, as Node ends for it.
test("where no volume is active, the first one is told, and the others are not left without anyone who hears of them", async () => {
  const problem = { what: expect.stringMatching(/^the volume .* is not active$/) as unknown };
  await expect(volumeMounts.plan(testMachine(fakeHost({ files: {} })))).rejects.toMatchObject({ problem });
  await new Promise((resolve) => setTimeout(resolve));
});
