/**
 * The exit codes: services, scripts and docs/operator.md rely on this table. A code is never reused for another meaning. SuccessExitStatus=
 * names code 10 in guestos-boot.service, and code 143 in guestos-monitor.service.
 */
export const exitCodes = {
  ok: { code: 0, meaning: "success: nothing is missing or wrong" },
  defect: { code: 1, meaning: "a defect in guestos-boot itself" },
  usage: { code: 2, meaning: "wrong usage" },
  failed: { code: 3, meaning: "a unit failed that the boot requires (plan: would fail)" },
  unknownUnit: { code: 4, meaning: "there is no unit of that name" },
  notRoot: { code: 5, meaning: "only root may do this; what only reads, the group adm too" },
  lockHeld: { code: 6, meaning: "another guestos-boot is running" },
  recordDamaged: { code: 7, meaning: "the record cannot be read" },
  noRecord: { code: 8, meaning: "there is no record of that boot" },
  unsound: { code: 9, meaning: "the chain itself is not sound" },
  degraded: { code: 10, meaning: "the boot continued, with something missing" },
  toDo: { code: 11, meaning: "plan: there is something to do" },
  refused: { code: 12, meaning: "an input was refused, or a file or tool that the program itself needs failed" },
  unfinished: { code: 13, meaning: "status: the boot is still running, or was cut off" },
  notNow: { code: 14, meaning: "upgrade: not possible in the present state of the two slots" },
  unhealthy: { code: 15, meaning: "upgrade confirm: a health check failed, nothing was confirmed" },
  notRestarted: { code: 16, meaning: "upgrade: everything was written, but the restart could not be requested" },
  unsoundNode: { code: 17, meaning: "doctor: something is wrong, or could not be inspected" },
  badConfiguration: { code: 18, meaning: "the program's own configuration in /etc/guestos-boot cannot be used" },
  differs: { code: 19, meaning: "replay: this version decides otherwise than the recorded one" },
  interrupted: { code: 130, meaning: "stopped by SIGINT (128 + 2)" },
  terminated: { code: 143, meaning: "stopped by SIGTERM (128 + 15), or by SIGHUP" },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>;

export type ExitName = keyof typeof exitCodes;

/** The table in aligned lines, for --help and docs/operator.md. */
export function exitCodeLines(): readonly string[] {
  return Object.values(exitCodes).map(({ code, meaning }) => `${String(code).padStart(3)}  ${meaning}`);
}
