import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { type Command, CommandError, type Completed } from "../../../../src/system/command.ts";
import type { NodeCard } from "../../../../src/config/state/network-card.ts";
import { networkCard } from "../../../../src/units/network/network-card.ts";
import { network } from "../../../../src/units/network/network.ts";
import { knownAgain, primaryInterface } from "../../../../src/units/network/primary-interface.ts";
import { type FakeHost, fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

const MEMORY = guestosLayout.config.networkCard;
const OURS = "52:54:00:00:00:16";
const OTHER = "52:54:00:00:00:02";
const BOOT = "00000000-0000-4000-8000-000000000001";

interface Card {
  readonly mac?: string;
  readonly carrier?: boolean;
  /** Router advertisements that the kernel has heard. */
  readonly heard?: number;
  readonly slot?: string;
}

/** What the kernel shows of cards; all of them are up, unless the test plans the tools for that. */
function cards(named: Readonly<Record<string, Card>>, flags = "0x1003"): FakeMachine {
  const files: Record<string, string> = { "/proc/sys/kernel/random/boot_id": `${BOOT}\n` };
  const links: Record<string, string> = {};
  for (const [index, [name, { mac = OTHER, carrier = true, heard = 0, slot = name.replace(/^enp0s/, "") }]] of Object.entries(
    named,
  ).entries()) {
    const folder = `/sys/class/net/${name}`;
    const place = `pci0000:00/0000:00:${Number(slot).toString(16).padStart(2, "0")}.0`;
    Object.assign(files, {
      [`${folder}/type`]: "1\n",
      [`${folder}/ifindex`]: `${index + 2}\n`,
      [`${folder}/address`]: `${mac}\n`,
      [`${folder}/addr_assign_type`]: "0\n",
      [`${folder}/carrier`]: carrier ? "1\n" : "0\n",
      [`${folder}/flags`]: `${flags}\n`,
      [`/proc/net/dev_snmp6/${name}`]: `ifIndex                         \t${index + 2}\nIcmp6InRouterAdvertisements     \t${heard}\n`,
    });
    Object.assign(links, {
      [folder]: `../../devices/${place}/virtio${index}/net/${name}`,
      [`${folder}/device`]: `../../../virtio${index}`,
    });
  }
  return { files, links };
}

function remembered(card: Partial<NodeCard["card"]> = {}): Record<string, string> {
  const memory = {
    version: 1,
    card: { mac: OURS, path: "pci0000:00/0000:00:10.0", name: "enp0s16", ...card },
    because: "only",
    bootId: "an earlier one",
  };
  return { [MEMORY]: JSON.stringify(memory) };
}

function node({ files, links }: FakeMachine, more: Readonly<Record<string, string>> = {}): TestMachine<FakeHost> {
  return testMachine(fakeHost({ files: { ...files, ...more }, links: links ?? {} }));
}

async function run(machine: TestMachine<FakeHost>): Promise<readonly string[]> {
  const done = runUnit(networkCard, machine);
  await Promise.race([done.catch(() => undefined), vi.advanceTimersByTimeAsync(40_000)]);
  return await done;
}

function memoryOf({ host }: TestMachine<FakeHost>): unknown {
  const text = host.files.get(MEMORY);
  return text === undefined ? undefined : JSON.parse(String(text));
}

async function chosen({ host, layout }: TestMachine<FakeHost>): Promise<string | undefined> {
  return (await primaryInterface(host, layout))?.name;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the only card is remembered once it has a carrier, without a word", async () => {
  const machine = node(cards({ enp0s16: { mac: OURS } }));
  expect(await runUnit(networkCard, machine)).toEqual([
    "find whether enp0s16 is connected to the node's network",
    "remember the network card that was found",
  ]);
  expect(machine.notes).toEqual([]);
  expect(memoryOf(machine)).toEqual({
    version: 1,
    card: { mac: OURS, path: "pci0000:00/0000:00:10.0", name: "enp0s16" },
    because: "only",
    bootId: BOOT,
  });
  expect(await runUnit(networkCard, machine)).toEqual([]);
});

test("the only card is used without a carrier, and not remembered: the node's own one may be late", async () => {
  const machine = node(cards({ enp0s16: { mac: OURS, carrier: false } }));
  await run(machine);
  expect(memoryOf(machine)).toBeUndefined();
  expect(machine.notes).toEqual([expect.stringContaining("it is the only one, and has no carrier; the next boot checks again")]);
  expect(await chosen(machine)).toBe("enp0s16");
  expect(await runUnit(networkCard, machine)).toEqual([]);
});

const BUSY_UDEV = { "/run/udev/control": "", "/run/udev/queue": "" };

/** The driver of a card comes to its turn in udev, which is done then. */
async function comes({ host }: TestMachine<FakeHost>, { files = {}, links = {} }: FakeMachine): Promise<void> {
  const { readLink } = host;
  Object.assign(host, { readLink: async (path: string) => links[path] ?? (await readLink(path)) });
  for (const [path, content] of Object.entries(files)) host.files.set(path, content);
  for (const index of ["2", "3"]) host.files.set(`/run/udev/data/n${index}`, "");
  await host.remove("/run/udev/queue");
}

test.each<readonly [string, Readonly<Record<string, string>>, string]>([
  ["at a first boot", {}, "carrier"],
  ["that is remembered", remembered(), "only"],
])("while udev has events no choice is made: a card %s that comes after minutes is the node's", async (_, memory, because) => {
  const machine = node(cards({ enp0s2: { carrier: false } }), { ...BUSY_UDEV, ...memory, "/run/udev/data/n2": "" });
  const done = runUnit(networkCard, machine);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(machine.host.effects).toEqual([]);
  await comes(machine, cards({ enp0s2: { carrier: false }, enp0s16: { mac: OURS } }));
  await vi.advanceTimersByTimeAsync(40_000);
  await done;
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS }, because });
  expect(await chosen(machine)).toBe("enp0s16");
});

test("a udev that is never done leaves time for the choice", async () => {
  const machine = node(cards({ enp0s2: {}, enp0s16: {} }), { ...BUSY_UDEV, "/run/udev/data/n2": "", "/run/udev/data/n3": "" });
  const done = runUnit(networkCard, machine);
  await vi.advanceTimersByTimeAsync(networkCard.timeout - networkCard.retryFor);
  await done;
  expect(memoryOf(machine)).toMatchObject({ card: { name: "enp0s2" }, because: "name" });
});

test("a card that is added later, comes first by its name, and has a carrier and a router, does not take its place", async () => {
  const machine = node(cards({ enp0s2: { heard: 3 }, enp0s16: { mac: OURS, carrier: false } }), remembered());
  expect(await run(machine)).toEqual([]);
  expect(machine.host.effects).toEqual([]);
  expect(await chosen(machine)).toBe("enp0s16");
  await runUnit(network, machine);
  expect(machine.host.files.has(`${guestosLayout.networkd}/10-enp0s16.network`)).toBe(true);
  expect(machine.host.files.has(`${guestosLayout.networkd}/10-enp0s2.network`)).toBe(false);
});

test("it is known again under another name, and in another place, which is said", async () => {
  const machine = node(cards({ enp0s2: {}, enp0s17: { mac: OURS } }), remembered());
  expect(await run(machine)).toEqual([`remember the network card enp0s17 (${OURS} at pci0000:00/0000:00:11.0) as the node's`]);
  expect(memoryOf(machine)).toMatchObject({ card: { path: "pci0000:00/0000:00:11.0" }, because: "moved" });
  expect(machine.notes).toEqual([expect.stringContaining("in another place")]);
  expect(await run(machine)).toEqual([]);
  expect(await chosen(machine)).toBe("enp0s17");
});

test.each([
  ["a carrier", { enp0s2: { carrier: false }, enp0s16: { mac: OURS } }, "carrier", "only it has a carrier"],
  ["a router", { enp0s2: {}, enp0s16: { mac: OURS, heard: 1 } }, "router", "only it has an IPv6 router"],
])("without a memory, %s decides, and not the alphabet", async (_, named, because, said) => {
  const machine = node(cards(named));
  expect(await run(machine)).toEqual([
    "find which of enp0s2, enp0s16 is connected to the node's network",
    "remember the network card that was found",
  ]);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS, name: "enp0s16" }, because });
  expect(machine.notes).toEqual([`the node's network card is enp0s16 (${OURS} at pci0000:00/0000:00:10.0) (of enp0s2, enp0s16): ${said}`]);
  expect(await chosen(machine)).toBe("enp0s16");
  expect(await run(machine)).toEqual([]);
});

test.each([
  ["on none", 0],
  ["on several of them", 2],
])("where a router answers %s, the first by name is taken and remembered, which is said", async (_, heard) => {
  const machine = node(cards({ enp0s16: { mac: OURS, heard }, enp0s2: { heard } }));
  await run(machine);
  expect(memoryOf(machine)).toMatchObject({ card: { name: "enp0s2" }, because: "name" });
  expect(machine.notes).toEqual([expect.stringContaining("the first by name of several with a carrier")]);
});

test("where none has a carrier nothing is known: the first by name is used for this boot, and nothing is remembered", async () => {
  const machine = node(cards({ enp0s2: { carrier: false }, enp0s16: { mac: OURS, carrier: false } }));
  await run(machine);
  expect(memoryOf(machine)).toBeUndefined();
  expect(machine.notes).toEqual([expect.stringContaining("none has a carrier")]);
  expect(await chosen(machine)).toBe("enp0s2");
  // A second run changes nothing, and takes no time for it.
  expect(await runUnit(networkCard, machine)).toEqual([]);
});

test.each([
  "",
  "{",
  "null",
  '{"version":2}',
  JSON.stringify({ version: 1, card: { path: "/\n", name: "x" }, because: "only", bootId: "" }),
])("a memory of %j counts as none, which is said", async (text) => {
  const machine = node(cards({ enp0s16: { mac: OURS } }), { [MEMORY]: text });
  expect(await chosen(machine)).toBe("enp0s16");
  expect(await runUnit(networkCard, machine)).toHaveLength(2);
  expect(machine.notes).toEqual([`${MEMORY} could not be read, and counts as absent`]);
  expect(await runUnit(networkCard, machine)).toEqual([]);
});

test("where the remembered card is gone, the choice is made again, remembered and said", async () => {
  const machine = node(cards({ enp0s2: { carrier: false }, enp0s3: { mac: "52:54:00:00:00:03" } }), remembered());
  expect((await run(machine))[0]).toBe(`find enp0s16 (${OURS} at pci0000:00/0000:00:10.0), which is missing, or its replacement`);
  expect(memoryOf(machine)).toMatchObject({ card: { name: "enp0s3" }, because: "carrier", insteadOf: { mac: OURS }, bootId: BOOT });
  expect(machine.notes).toEqual([expect.stringMatching(/is enp0s3 .*only it has a carrier; enp0s16 .*, the former one, is missing$/)]);
  expect(await chosen(machine)).toBe("enp0s3");
  expect(await run(machine)).toEqual([]);
});

test("another card in its place is not waited for", async () => {
  const machine = node(cards({ enp0s16: {} }), remembered());
  await runUnit(networkCard, machine);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OTHER }, because: "only", insteadOf: { mac: OURS } });
  expect(machine.notes).toHaveLength(1);
});

test("another card in its place that has no carrier is not remembered", async () => {
  const machine = node(cards({ enp0s16: { carrier: false } }), remembered());
  await run(machine);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS } });
  expect(await chosen(machine)).toBe("enp0s16");
});

test("a single card in another place serves for this boot, and the remembered one stays remembered", async () => {
  const machine = node(cards({ enp0s2: { mac: OTHER } }), remembered());
  await run(machine);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS } });
  expect(machine.notes).toEqual([
    expect.stringMatching(/is enp0s2 .*the next boot looks for the former one again; enp0s16 .* is missing$/),
  ]);
  expect(await chosen(machine)).toBe("enp0s2");
  expect(await runUnit(networkCard, machine)).toEqual([]);
});

test("a card whose link takes a quarter of a minute is the one with a carrier", async () => {
  const machine = node(cards({ enp0s2: { carrier: false }, enp0s16: { mac: OURS, carrier: false } }));
  setTimeout(() => machine.host.files.set("/sys/class/net/enp0s16/carrier", "1\n"), 15_000);
  await run(machine);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS }, because: "carrier" });
});

test.each([
  ["that is busy is brought up again", "RTNETLINK answers: Device or resource busy\n", 3],
  ["that cannot be brought up leads nowhere", "RTNETLINK answers: No such device\n", 1],
])("a card %s", async (_, stderr, tries) => {
  const { files = {}, links = {} } = cards({ enp0s16: { mac: OURS } }, "0x1002");
  const commands = { "ip link set dev enp0s16 up": "", "ip link set dev enp0s16 down": "" };
  const machine = testMachine(fakeHost({ files, links, commands }));
  const { run: works } = machine.host;
  let ups = 0;
  const refuses = async (command: Command): Promise<Completed> => {
    if (command.args.includes("up") && (ups += 1) < 3) throw new CommandError(command, { kind: "exited", status: 2 }, stderr);
    return works(command);
  };
  Object.assign(machine.host, { run: refuses });
  await run(machine);
  expect(ups).toBe(tries);
});

test("a remembered card whose driver comes late is waited for, and no other one is remembered", async () => {
  const machine = node(cards({ enp0s2: {} }), remembered());
  const late = cards({ enp0s2: {}, enp0s16: { mac: OURS } });
  const { readLink } = machine.host;
  Object.assign(machine.host, { readLink: async (path: string) => late.links?.[path] ?? (await readLink(path)) });
  setTimeout(() => {
    for (const [path, content] of Object.entries(late.files ?? {})) machine.host.files.set(path, content);
  }, 4_000);
  await run(machine);
  expect(memoryOf(machine)).toMatchObject({ card: { mac: OURS } });
  expect(machine.host.effects).toEqual([]);
  expect(await chosen(machine)).toBe("enp0s16");
});

test("a card that was found and could not be remembered is the one of this boot, and the next run only remembers it", async () => {
  const machine = node(cards({ enp0s2: { carrier: false }, enp0s16: { mac: OURS } }));
  const { writeFile } = machine.host;
  const full = async (path: string, ...rest: [string | Uint8Array, { mode: number }]): Promise<void> =>
    path === MEMORY ? Promise.reject(new Error("ENOSPC")) : writeFile(path, ...rest);
  Object.assign(machine.host, { writeFile: full });
  await expect(run(machine)).rejects.toThrow("ENOSPC");
  expect(await chosen(machine)).toBe("enp0s16");
  Object.assign(machine.host, { writeFile });
  expect(await runUnit(networkCard, machine)).toEqual([expect.stringContaining("remember the network card enp0s16")]);
});

test("an interface that is down is brought up for the inspection, and is down again afterwards", async () => {
  const { files, links } = cards({ enp0s2: { carrier: false }, enp0s16: { mac: OURS } }, "0x1002");
  const commands = Object.fromEntries(
    ["enp0s2", "enp0s16"].flatMap((name) => ["up", "down"].map((to) => [`ip link set dev ${name} ${to}`, ""])),
  );
  const machine = testMachine(fakeHost({ files: files ?? {}, links: links ?? {}, commands }));
  await run(machine);
  expect(machine.host.effects.filter((effect) => effect.startsWith("run"))).toEqual([
    "run ip link set dev enp0s2 up",
    "run ip link set dev enp0s16 up",
    "run ip link set dev enp0s2 down",
    "run ip link set dev enp0s16 down",
  ]);
});

test("while udev may still rename a card, nothing is remembered", async () => {
  const machine = node(cards({ eth0: { mac: OURS, slot: "16" } }), { "/run/udev/control": "" });
  await expect(networkCard.plan(machine)).rejects.toMatchObject({ retryable: true });
});

test("a machine without a card may get one in a moment: nothing is said to be well before that", async () => {
  await expect(networkCard.plan(testMachine(fakeHost()))).rejects.toMatchObject({ retryable: true });
});

test("the same address twice is told apart by the place; a place with several cards says nothing", () => {
  const one = { name: "a", index: 2, mac: OURS, path: "p/1" };
  const two = { name: "b", index: 3, mac: OURS, path: "p/2" };
  const nameless = [
    { name: "c", index: 4, path: "p/3" },
    { name: "d", index: 5, path: "p/3" },
  ];
  expect(knownAgain({ name: "x", mac: OURS, path: "p/2" }, [one, two])?.name).toBe("b");
  expect(knownAgain({ name: "x", path: "p/1" }, [one, two])?.name).toBe("a");
  expect(knownAgain({ name: "x", path: "p/3" }, nameless)).toBeUndefined();
  expect(knownAgain({ name: "x", mac: OTHER, path: "p/1" }, [one, two])).toBeUndefined();
});
