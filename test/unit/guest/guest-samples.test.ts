import { expect, test } from "vitest";
import { guestSamples } from "../../../src/guest/guest-samples.ts";
import type { GuestState } from "../../../src/guest/guest-state.ts";
import { exposition } from "../../../src/metrics/exposition.ts";

const state = (over: Partial<GuestState>): GuestState => ({
  phase: "running",
  since: "2026-01-01T00:00:00Z",
  onTrial: false,
  failures: 0,
  ...over,
});

test.each([
  [{ phase: "running", boot: "success" }, 1, 0],
  [{ phase: "stopping" }, 0, 0],
  [{ phase: "paused", boot: "pending" }, 1, 2],
  [{ phase: "waiting" }, 0, 1],
  [{ phase: "crash-loop" }, 0, 1],
  [{ phase: "stopped" }, 0, 1],
] as const)("%j", async (over, started, value) => {
  const text = await exposition(guestSamples(state(over)));
  expect(text).toContain(`hostos_guestos_service_start{vm_type="default"} ${started}\n`);
  expect(text).toContain(`hostos_guestos_state{vm="guestos"} ${value}\n`);
});

test("nothing is said of a machine that cannot be inspected", async () => {
  const text = await exposition(guestSamples(state({ phase: "unknown" })));
  expect(text).not.toMatch(/hostos_guestos_(?:service_start|state)/);
  expect(text).toContain("hostos_guestos_failures 0\n");
});

test("of a boot, exactly one word holds", async () => {
  const text = await exposition(guestSamples(state({ boot: "silent", failures: 3 })));
  expect(text.match(/^hostos_guestos_boot\{.*\} 1$/gm)).toEqual(['hostos_guestos_boot{boot="silent"} 1']);
  expect(text).toContain("hostos_guestos_failures 3\n");
});

test("whether its memory is in huge pages is known once it was started", async () => {
  expect(await exposition(guestSamples(state({ hugePages: true })))).toContain('hostos_guestos_hugepages_enabled{vm_type="default"} 1\n');
  expect(await exposition(guestSamples(state({ phase: "stopped" })))).not.toContain("hugepages");
});
