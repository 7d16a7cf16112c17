import { expect, test } from "vitest";
import { startFirst } from "../../../src/setupos/boot-entry.ts";
import { menuIn } from "../../../src/system/hardware/efibootmgr.ts";
import { fakeHost } from "../../support/fake-host.ts";

const ESP = "f46600e3-d0e6-4258-9607-e64b13cf7595";
const OURS = `HD(1,GPT,${ESP},0x800,0x10000)/\\EFI\\BOOT\\BOOTX64.EFI`;
const TABLE = JSON.stringify({
  partitiontable: { sectorsize: 512, partitions: [{ start: 2048, size: 65_536, name: "esp", uuid: ESP.toUpperCase() }] },
});
const CREATE = String.raw`efibootmgr --quiet --create --disk /dev/nvme0n1 --part 1 --label IC-OS --loader '\EFI\BOOT\BOOTX64.EFI'`;

const menu = (order: string, ...entries: readonly string[]): string =>
  ["BootCurrent: 0003", "Timeout: 1 seconds", `BootOrder: ${order}`, ...entries, ""].join("\n");

const VARIABLES = { "/sys/firmware/efi/efivars/BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c": "" };

async function effectsWith(text: string): Promise<readonly string[]> {
  const tools = [
    CREATE,
    CREATE.replaceAll("'", ""),
    ...["0001", "0002", "0004"].map((number) => `efibootmgr --quiet --delete-bootnum --bootnum ${number}`),
  ];
  const commands = Object.fromEntries(tools.map((tool) => [tool, ""]));
  const host = fakeHost({ files: VARIABLES, commands: { ...commands, "efibootmgr --verbose": text, "sfdisk --json /dev/nvme0n1": TABLE } });
  await startFirst(host, "/dev/nvme0n1");
  return host.effects
    .filter((effect) => /create|delete/.test(effect))
    .map((effect) => effect.replace(/^run efibootmgr --quiet --/, "").split(" --loader")[0] ?? "");
}

const MADE = "create --disk /dev/nvme0n1 --part 1 --label IC-OS";

test("a menu is read: numbers, labels with blanks, paths, order", () => {
  const text = menu("0003,0001", `Boot0001* IC-OS\t${OURS}`, "Boot0003  UEFI: PXE IPv4 Intel(R)\tPciRoot(0x0)/Pci(0x1,0x0)");
  expect(menuIn(text)).toEqual({
    order: ["0003", "0001"],
    entries: [
      { number: "0001", label: "IC-OS", path: OURS },
      { number: "0003", label: "UEFI: PXE IPv4 Intel(R)", path: "PciRoot(0x0)/Pci(0x1,0x0)" },
    ],
  });
});

test("a machine that was not started by UEFI has no menu, and no tool is run", async () => {
  await expect(startFirst(fakeHost(), "/dev/nvme0n1")).rejects.toMatchObject({ problem: { code: "boot-menu-missing" } });
});

test("without one, an entry is made", async () => {
  expect(await effectsWith(menu("0003", "Boot0003* UEFI OS\tHD(1,GPT,x)"))).toEqual([MADE]);
});

test("one that is as it shall be, and first, is not written again", async () => {
  expect(await effectsWith(menu("0001,0003", `Boot0001* IC-OS\t${OURS}`, "Boot0003* UEFI OS\tx"))).toEqual([]);
});

test.each([
  ["not first", menu("0003,0001", `Boot0001* IC-OS\t${OURS}`), ["0001"]],
  ["of another disk", menu("0001", "Boot0001* IC-OS\tHD(1,GPT,b78084e2,0x800)/\\EFI\\BOOT\\BOOTX64.EFI"), ["0001"]],
  ["twice", menu("0001,0002", `Boot0001* IC-OS\t${OURS}`, `Boot0002* IC-OS\t${OURS}`), ["0001", "0002"]],
])("one that is %s is replaced; entries of other names stay", async (_, text, removed) => {
  const others = "Boot0004* IC-OS-backup\tHD(1,GPT,x)\nBoot0005* Ubuntu IC-OS\tx\n";
  expect(await effectsWith(text + others)).toEqual([...removed.map((number) => `delete-bootnum --bootnum ${number}`), MADE]);
});
