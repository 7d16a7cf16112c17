import { ProblemError } from "../../base/problem.ts";
import { activate } from "../../boot/unit.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { guestSize } from "../../config/guest-size.ts";
import { availableMemory, HUGE_PAGE, readHugePages, reserveHugePages } from "../../system/huge-pages.ts";
import { hostosConfig } from "../injection/hostos-config.ts";
import { type Machine, unit } from "../machine.ts";

/** Bytes that the host keeps: with less, it would end programs of its own for the guest's memory. */
const LEFT_TO_HOST = 1024 * 1024 * 1024;

/**
 * Afterwards the memory of the guest is reserved, in huge pages, where the guest has such: all of it, or none.
 *
 * It requires the host's configuration, which says how large the guest is. It comes early, while memory is in one piece. There is no conflict.
 * If it fails, the boot is degraded, and the guest gets usual pages: it is slower.
 */
export const hugePages = unit({
  name: "huge-pages",
  title: "Reserve the guest's memory in huge pages",
  requires: [hostosConfig],
  owns: ["/sys/kernel/mm/hugepages"],
  onFailure: "degrade",
  async plan(machine) {
    const { host } = machine;
    const [wanted, found] = await Promise.all([wantedPages(machine), readHugePages(host)]);
    if (found === undefined) {
      if (wanted === 0) return [];
      throw new ProblemError({
        code: "huge-pages-unknown",
        what: "the kernel has no huge pages of 2 MiB",
        expected: "a kernel with CONFIG_HUGETLBFS",
        todo: "the guest runs without them, and slower: install an image whose kernel has them",
      });
    }
    const { reserved } = found;
    if (reserved === wanted) return [];
    return [activate(`reserve ${wanted} huge pages of 2 MiB (now ${reserved})`, async () => reserve(machine, wanted, reserved))];
  },
});

async function wantedPages({ host, layout }: Machine): Promise<number> {
  const [{ config }, mark] = await Promise.all([readHostosConfig(host, layout), host.stat(layout.etc.developmentMark)]);
  const { memory, wantsHugePages } = guestSize(config, mark !== undefined);
  return wantsHugePages ? Math.ceil((memory * 1024 * 1024) / HUGE_PAGE) : 0;
}

/** A part of them would be lost for the host, and of no use for the guest. */
async function reserve({ host }: Machine, wanted: number, reserved: number): Promise<void> {
  const available = await availableMemory(host);
  const needed = (wanted - reserved) * HUGE_PAGE + LEFT_TO_HOST;
  if (wanted > reserved && available !== undefined && available < needed) {
    throw new ProblemError({
      code: "huge-pages-too-many",
      what: "this machine has not enough memory for the huge pages of its guest",
      found: `${mib(available)} MiB that can be used`,
      expected: `${mib(needed)} MiB`,
      todo: "see what takes the memory (free -m), or start the machine again; the guest runs without them, and slower",
    });
  }
  await reserveHugePages(host, wanted);
  const got = (await readHugePages(host))?.reserved ?? 0;
  if (got >= wanted) return;
  await reserveHugePages(host, 0);
  throw new ProblemError({
    code: "huge-pages-missing",
    what: "the kernel did not find all the huge pages of the guest",
    found: `${got} of 2 MiB`,
    expected: String(wanted),
    todo: "memory is in small pieces after a long time: start the machine again; the guest runs without them, and slower",
  });
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
