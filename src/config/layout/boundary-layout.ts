import { guestosLayout, type Layout } from "./layout.ts";

/** Where things stand on a Boundary-GuestOS: as on a GuestOS, but for the volumes, of which there are none, and the medium. */
export const boundaryLayout: Layout = {
  ...guestosLayout,
  volumes: [],
  medium: { ...guestosLayout.medium, contents: "boundary" },
};
