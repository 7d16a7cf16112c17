import { vi } from "vitest";
import { crashSample } from "../crash/sample.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";

/** A sample of the power cuts of `make test-crash`: a first boot, recorded as the disk sees it. docs/reliability.md. */

vi.setConfig({ testTimeout: 4 * BOOT_TIMEOUT });
crashSample("first-boot", { inspections: 60, boots: 1 });
