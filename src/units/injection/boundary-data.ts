import { injectedDataOn } from "./injected-data.ts";

/** Of a Boundary-GuestOS: everything stays on the config partition, so that no further mount is waited for. */
export const boundaryData = injectedDataOn({
  mounts: [],
  owns: ["certs", "buildinfo", "geolite2_dbs", "ic_registry_local_store"].map((tree) => `/boot/config/${tree}`),
});
