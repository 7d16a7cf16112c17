import { boundaryLayout } from "./boundary-layout.ts";
import { guestosLayout, type Layout } from "./layout.ts";
import type { ProfileName } from "./profile-name.ts";

/** Where things stand, by profile. Apart from the units: the monitor needs no more, and loads no more. */
export const layouts: Readonly<Record<ProfileName, Layout>> = { guestos: guestosLayout, boundary: boundaryLayout };
