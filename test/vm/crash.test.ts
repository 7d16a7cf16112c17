import { vi } from "vitest";
import { crashInspections } from "../crash/sample.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";

/**
 * A sample of the power cuts of `make test-crash`: a first boot, recorded as the disk sees it. test/power/crash.test.ts boots what they leave.
 * docs/reliability.md.
 */

vi.setConfig({ testTimeout: 4 * BOOT_TIMEOUT });
crashInspections("first-boot", 60);
