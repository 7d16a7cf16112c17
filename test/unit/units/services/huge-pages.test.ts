import { expect, test } from "vitest";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { hugePages } from "../../../../src/units/services/huge-pages.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const { layout } = profiles.hostos;
const FOLDER = "/sys/kernel/mm/hugepages/hugepages-2048kB";

interface Given {
  readonly dev?: object;
  readonly isTrusted?: boolean;
  readonly reserved?: number;
  readonly availableMiB?: number;
  /** More than so many the kernel does not find. */
  readonly most?: number;
}

/** An image for development, whose guest has one GiB and runs on the host's processor. */
function machine({ dev = {}, isTrusted = false, reserved = 0, availableMiB = 4096, most = 10_000 }: Given = {}) {
  const config = {
    config_version: "1.17.0",
    icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0", deployment_environment: "mainnet", enable_trusted_execution_environment: isTrusted },
    hostos_settings: { hostos_dev_settings: { vm_memory: 1, vm_nr_of_vcpus: 1, vm_cpu: "kvm", ...dev } },
  };
  const fake = fakeHost({
    files: {
      "/boot/config/config.json": JSON.stringify(config),
      [layout.etc.developmentMark]: "",
      [`${FOLDER}/nr_hugepages`]: `${reserved}\n`,
      [`${FOLDER}/free_hugepages`]: `${reserved}\n`,
      "/proc/meminfo": `MemTotal: 8000000 kB\nMemAvailable:    ${availableMiB * 1024} kB\n`,
    },
  });
  const host: FakeHost = {
    ...fake,
    async writeInPlace(path, content, offset) {
      await fake.writeInPlace(path, String(Math.min(Number(content), most)), offset);
    },
  };
  return testMachine(host, layout);
}

const reservedIn = ({ host }: { readonly host: FakeHost }): string | undefined => host.files.get(`${FOLDER}/nr_hugepages`)?.toString();

test("all the memory of the guest is reserved, once", async () => {
  const subject = machine();
  expect(await runUnit(hugePages, subject)).toEqual(["reserve 512 huge pages of 2 MiB (now 0)"]);
  expect(reservedIn(subject)).toBe("512");
  expect(await runUnit(hugePages, subject)).toEqual([]);
});

test("a guest that is emulated, or encrypted, has none: what is reserved is given back", async () => {
  for (const given of [{ dev: { vm_cpu: "qemu" } }, { isTrusted: true }]) {
    expect(await runUnit(hugePages, machine(given))).toEqual([]);
    const subject = machine({ ...given, reserved: 512 });
    await runUnit(hugePages, subject);
    expect(reservedIn(subject)).toBe("0");
  }
});

test("where the kernel does not find all of them, none is kept", async () => {
  const subject = machine({ most: 511 });
  await expect(runUnit(hugePages, subject)).rejects.toMatchObject({ problem: { code: "huge-pages-missing", found: "511 of 2 MiB" } });
  expect(reservedIn(subject)).toBe("0");
});

test("a machine that would have no memory left for itself is not tried", async () => {
  const subject = machine({ availableMiB: 2047 });
  await expect(runUnit(hugePages, subject)).rejects.toMatchObject({
    problem: { code: "huge-pages-too-many", found: "2047 MiB that can be used" },
  });
  expect(reservedIn(subject)).toBe("0\n");
  await runUnit(hugePages, machine({ availableMiB: 2048 }));
});
