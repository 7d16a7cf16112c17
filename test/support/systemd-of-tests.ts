import { afterAll, beforeAll, beforeEach } from "vitest";
import { type FakeSystemd, fakeSystemd, type FakeUnit } from "./fake-systemd.ts";
import { type PrivateBus, privateBus } from "./private-bus.ts";

const STOPPED: FakeUnit = { load: "loaded", active: "inactive", sub: "dead", result: "done" };

export interface SystemdOfTests {
  readonly systemd: FakeSystemd;
  /** Makes a unit what a test needs: stopped, but for what is said. */
  readonly set: (name: string, change?: Partial<FakeUnit>) => void;
}

/** One systemd, on a bus of its own, for the tests of a file: each begins with no job, and with those services, stopped. */
export function systemdOfTests(services: readonly string[]): SystemdOfTests {
  let bus: PrivateBus;
  let systemd: FakeSystemd;
  const set: SystemdOfTests["set"] = (name, change = {}) => void systemd.units.set(name, { ...STOPPED, ...change });
  beforeAll(async () => {
    bus = await privateBus();
    systemd = await fakeSystemd(bus);
  });
  afterAll(async () => bus.stop());
  beforeEach(() => {
    systemd.jobs.length = 0;
    systemd.units.clear();
    for (const name of services) set(name);
  });
  return {
    set,
    get systemd() {
      return systemd;
    },
  };
}
