import { conflict, type Conflict } from "../../boot/unit.ts";

/** What is in the way of a service whose unit file systemd has not loaded: the image lacks it, or an operator has masked it. */
export function notStartable(service: string, load: string): Conflict {
  return conflict({
    code: "service-not-startable",
    what: `${service} cannot be started`,
    found: load === "not-found" ? "no unit file" : `its unit file is ${load}`,
    expected: "a unit file that can be loaded and started",
    todo: `systemctl status ${service}`,
  });
}
