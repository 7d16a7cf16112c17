import type { PrivateBus } from "./private-bus.ts";

export interface FakeUnit {
  readonly load: string;
  active: string;
  sub: string;
  /** What a job ends with; "never" for one that does not end. */
  readonly result: string;
  /** The end of the job is signalled before the call that started it is answered. */
  readonly early?: boolean;
  /** A job of another unit ends first, with this result. */
  readonly noise?: string;
  /** The state after the job, where it is not the usual one. */
  readonly then?: { readonly active: string; readonly sub: string };
  /** What the job does, before it ends. */
  readonly work?: () => Promise<unknown>;
}

export interface FakeSystemd {
  readonly units: Map<string, FakeUnit>;
  /** Jobs in order, as "StartUnit node_exporter.service". */
  readonly jobs: string[];
}

const PATH = "/org/freedesktop/systemd1";
const MANAGER = "org.freedesktop.systemd1.Manager";

/** As much of systemd's manager as is talked to, on a bus of its own. */
export async function fakeSystemd(bus: PrivateBus): Promise<FakeSystemd> {
  const units = new Map<string, FakeUnit>();
  const jobs: string[] = [];
  /** Units with a job that has not ended. */
  const queued = new Set<string>();
  let number = 0;
  const service = await bus.serve("org.freedesktop.systemd1", (member, body) => {
    if (member === "Subscribe") return "empty";
    if (member === "ListUnitsByNames") {
      const rows = (body[0] as string[]).map((name) => {
        const unit = units.get(name) ?? { load: "not-found", active: "inactive", sub: "dead" };
        return [name, "", unit.load, unit.active, unit.sub, "", "/unit", queued.has(name) ? 1 : 0, "", "/"];
      });
      return { signature: "a(ssssssouso)", body: [rows] };
    }
    const name = String(body[0]);
    const unit = units.get(name);
    if (unit === undefined) return { error: "org.freedesktop.systemd1.NoSuchUnit", text: `Unit ${name} not found.` };
    if (unit.load === "masked") return { error: "org.freedesktop.systemd1.UnitMasked", text: `Unit ${name} is masked.` };
    jobs.push(`${member} ${name}`);
    if (unit.result === "never") queued.add(name);
    number += 1;
    const job = `${PATH}/job/${number}`;
    const end = (): void => {
      if (unit.noise !== undefined) service.signal(PATH, MANAGER, "JobRemoved", "uoss", [0, `${PATH}/job/0`, "other.service", unit.noise]);
      if (unit.result === "never") return;
      if (unit.result === "done")
        Object.assign(
          unit,
          unit.then ?? (member === "StopUnit" ? { active: "inactive", sub: "dead" } : { active: "active", sub: "running" }),
        );
      service.signal(PATH, MANAGER, "JobRemoved", "uoss", [number, job, name, unit.result]);
    };
    if (unit.early === true) end();
    else if (unit.work !== undefined) void unit.work().then(end);
    else setTimeout(end, 10);
    return { signature: "o", body: [job] };
  });
  return { units, jobs };
}
