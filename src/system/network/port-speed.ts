import type { Host } from "../host.ts";

/** Mb/s that an interface runs at; `undefined` where it does not say: it is down, or has no link. */
export async function currentSpeed(host: Host, name: string): Promise<number | undefined> {
  try {
    const speed = Number(await host.readText(`/sys/class/net/${name}/speed`));
    // -1: not known (Documentation/ABI/testing/sysfs-class-net).
    return speed > 0 ? speed : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EINVAL") return undefined;
    throw error;
  }
}

/** The highest Mb/s that an interface can run at, by ethtool; `undefined` where it does not say. @throws CommandError */
export async function highestSpeed(host: Host, name: string): Promise<number | undefined> {
  const { stdout } = await host.run({ program: "ethtool", args: [name], timeout: 10_000 });
  // Up to the next label: "Supported link modes:   1000baseT/Full", and further lines below it.
  const [, modes = ""] = /^\s*Supported link modes:([^:]*)(?:\n[^\n:]*:|$)/m.exec(stdout) ?? [];
  const speeds = [...modes.matchAll(/\b(\d{2,7})base/g)].map(([, speed]) => Number(speed));
  return speeds.length === 0 ? undefined : Math.max(...speeds);
}
