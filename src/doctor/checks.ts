import { certificateCheck } from "./certificate.ts";
import { chainCheck } from "./chain.ts";
import type { Check } from "./check.ts";
import { encryptionCheck } from "./encryption.ts";
import { keysCheck } from "./keys.ts";
import { monitorCheck } from "./monitor.ts";
import { mountsCheck } from "./mounts.ts";
import { networkCheck } from "./network.ts";
import { rootCheck } from "./root.ts";
import { servicesCheck } from "./services.ts";
import { spaceCheck } from "./space.ts";
import { upgradesCheck } from "./upgrades.ts";
import { volumesCheck } from "./volumes.ts";

/** All checks of a node, in the order of the report. The chain's own plans come first: they know most. */
export const checks: readonly Check[] = [
  chainCheck,
  mountsCheck,
  rootCheck,
  keysCheck,
  encryptionCheck,
  volumesCheck,
  spaceCheck,
  networkCheck,
  upgradesCheck,
  certificateCheck,
  servicesCheck,
  monitorCheck,
];
