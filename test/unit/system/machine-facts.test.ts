import { expect, test } from "vitest";
import { machineFacts } from "../../../src/system/machine-facts.ts";
import { fakeHost } from "../../support/fake-host.ts";

test("a machine is told in words", async () => {
  const host = fakeHost({
    files: {
      "/proc/sys/kernel/osrelease": "6.12.107+deb13-amd64\n",
      "/proc/cpuinfo": "processor\t: 0\nmodel name\t: QEMU TCG CPU\n\nprocessor\t: 1\nmodel name\t: QEMU TCG CPU\n",
      "/proc/meminfo": "MemTotal:        2097152 kB\nMemFree:  1 kB\n",
      "/sys/class/dmi/id/sys_vendor": "QEMU\n",
      "/sys/class/dmi/id/product_name": "Standard PC\n",
      "/proc/cmdline": "root=/dev/vda5 dfinity.system=A\n",
      "/etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
    },
  });
  expect(await machineFacts(host)).toEqual([
    ["machine", "QEMU Standard PC"],
    ["processors", "2 × QEMU TCG CPU"],
    ["memory", "2.0 GiB"],
    ["system", "Debian GNU/Linux 13 (trixie)"],
    ["kernel", "6.12.107+deb13-amd64"],
    ["command line", "root=/dev/vda5 dfinity.system=A"],
  ]);
});

test("what a machine does not tell is left out", async () => {
  expect(await machineFacts(fakeHost())).toEqual([]);
});
