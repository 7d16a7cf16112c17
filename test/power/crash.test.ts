import { expect, test, vi } from "vitest";
import { findAccelerator } from "../../lab/accelerator.ts";
import { OrderExplorer } from "../crash/orders.ts";
import { crashSample } from "../crash/sample.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";

/** A larger sample of the power cuts of `make test-crash` than test/vm/crash.test.ts, and samples of a later boot's and of an upgrade's. */

vi.setConfig({ testTimeout: 8 * BOOT_TIMEOUT });
crashSample("first-boot", { inspections: 200, boots: 3 });
crashSample("later-boot", { inspections: 100, boots: 2 });
crashSample("upgrade-install", { inspections: 100, boots: 2 });
crashSample("upgrade-trial", { inspections: 100, boots: 2 });

test("a first boot whose units run one by one, in another legal order, ends in the same state", async ({ annotate }) => {
  const explorer = await OrderExplorer.over(console.log, await findAccelerator());
  const { order, faults } = await explorer.explore(Number(process.env["SEED"] ?? "1"));
  await annotate(order.join(" "));
  expect(faults).toEqual([]);
});
