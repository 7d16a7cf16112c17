import { requireMounted } from "../system/disks/mounts.ts";
import type { Space } from "../system/host.ts";
import { type Check, type Finding, notice, part, wrong } from "./check.ts";
import { ownMountPoints } from "./own-mount-points.ts";

/** Shares of the file system. Below the first, an operator should act; below the second, writes may fail at any moment. */
const LOW = 1 / 10;
const FULL = 1 / 50;

/** The mount points to which the node and its operators write while it runs. */
const FILLING: readonly string[] = ["config", "var", "data", "backup"];

export const spaceCheck: Check = {
  name: "space",
  title: "there is free space on config, var, data and backup",
  seen: "df -h",
  async inspect(node, host) {
    const places = ownMountPoints(node)
      .filter((name) => FILLING.includes(name))
      .map((name) => node.layout.mountPoints[name]);
    const facts: string[] = [];
    const findings = await Promise.all(
      places.map(async (place) =>
        part(`df ${place}`, async () => {
          await requireMounted(host, place);
          const space = await host.space(place);
          facts.push(`${place} ${percent(space)}`);
          return judgeSpace(place, space);
        }),
      ),
    );
    return { fact: `free: ${facts.toSorted().join(", ")}`, findings: findings.flat() };
  },
};

export function judgeSpace(place: string, space: Space): readonly Finding[] {
  const share = space.total === 0 ? 0 : space.free / space.total;
  if (share >= LOW) return [];
  const seen = `df -h ${place}`;
  const problem = {
    found: `${percent(space)} free: ${Math.floor(space.free / 1024 ** 2)} MiB of ${Math.floor(space.total / 1024 ** 2)} MiB`,
    expected: `at least ${LOW * 100} %`,
    todo: `see what takes it: du -xh --max-depth=2 ${place} | sort -h | tail`,
  };
  return share < FULL
    ? wrong(seen, { code: "disk-full", what: `${place} is full`, ...problem })
    : notice(seen, { code: "disk-filling-up", what: `${place} is nearly full`, ...problem });
}

function percent({ total, free }: Space): string {
  return `${total === 0 ? 0 : Math.floor((free / total) * 100)} %`;
}
