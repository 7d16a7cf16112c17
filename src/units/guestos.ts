import type { GuestUnit } from "./machine.ts";
import { mountBoot } from "./mount-boot.ts";
import { storeKey } from "./store-key.ts";
import { varPartition } from "./var.ts";

/** The boot chain of a GuestOS, in boot order. The order is for readers: what runs when follows from what each unit requires. */
export const guestos: readonly GuestUnit[] = [mountBoot, storeKey, varPartition];
