/** What a boot has told systemd, by its effects on a machine: read by who kills it (explorer.ts). */
export const READY = "tell systemd that the rest of the system may start";
export const ENDED = "tell systemd that all of the boot has ended";
/** The file on a machine that keeps it. */
export const TOLD = "run/guestos-boot/told";
