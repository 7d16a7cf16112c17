import { injectedDataOn } from "./injected-data.ts";

/** The injected data of a Boundary-GuestOS: all of it stays on the config partition, so it requires no further mount. */
export const boundaryData = injectedDataOn({
  mounts: [],
  owns: ["certs", "buildinfo", "geolite2_dbs", "ic_registry_local_store", ".injection"].map((tree) => `/boot/config/${tree}`),
});
