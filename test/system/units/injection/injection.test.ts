import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import type { Host } from "../../../../src/system/host.ts";
import { configInjection } from "../../../../src/units/injection/config-injection.ts";
import { injectedData } from "../../../../src/units/injection/injected-data.ts";
import { badFiles, badTar, emptyTars, hostileTars, REFUSED } from "../../../support/bad-media.ts";
import { atEveryEffect } from "../../../support/interrupting-host.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { type RawEntry, rawTar } from "../../../support/raw-tar.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { canary } from "../../../support/canaries.ts";

const KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

const A: readonly RawEntry[] = [
  { name: "./network.conf", content: "hostname=a\n" },
  { name: "./nns.conf", content: "nns_url=http://a:1\n" },
  { name: "./accounts_ssh_authorized_keys/admin", content: "# a\n" },
  { name: "./nns_public_key.pem", content: KEY },
  { name: "./ic_crypto/node/secret", content: canary("the crypto of a", "crypto-of-a-41f0c2") },
  { name: "./ic_crypto/public", content: "public of a" },
  { name: "./ic_registry_local_store/00/01.pb", content: Buffer.alloc(5000, 1) },
  { name: "./ic_state/only-in-a", content: "state of a" },
];
const B: readonly RawEntry[] = [
  { name: "./network.conf", content: "hostname=b\n" },
  { name: "./accounts_ssh_authorized_keys/root", content: "# b\n" },
  { name: "./ic_crypto/node/secret", content: canary("the crypto of b", "crypto-of-b-93e7d5") },
  { name: "./ic_crypto/node/more/", type: "5" },
  { name: "./ic_registry_local_store/00/01.pb", content: "registry of b" },
];

/** What must be on a node after a tar was taken in: content by path. */
function expected(entries: readonly RawEntry[]): Record<string, string> {
  const files = entries
    .filter(({ type }) => type !== "5")
    .map(({ name, content = "" }) => [placeOf(name.slice(2)), Buffer.from(content).toString("latin1")] as const);
  return { ...Object.fromEntries(files), "boot/config/CONFIGURED": "" };
}

function placeOf(name: string): string {
  if (name.startsWith("ic_crypto/")) return join("var/lib/ic/crypto", name.slice("ic_crypto/".length));
  return join(/\.conf$|^accounts/.test(name) ? "boot/config" : "var/lib/ic/data", name);
}

function everything(machine: NamespaceMachine): Record<string, string> {
  const found: Record<string, string> = {};
  for (const folder of ["/boot/config", "/var/lib/ic"]) {
    for (const item of readdirSync(machine.at(folder), { recursive: true, withFileTypes: true })) {
      const path = join(item.parentPath, item.name);
      if (item.isFile() && !/(injection|injected-data)\.json$/.test(path))
        found[relative(machine.root, path)] = readFileSync(path, "latin1");
    }
  }
  return found;
}

/** A node on its first boot. The block devices of the machine that runs the test are not its own. */
function node(medium: readonly RawEntry[] | Buffer | undefined, files: Readonly<Record<string, string>> = {}): NamespaceMachine {
  const machine = namespaceMachine({ "/etc/passwd": "ic-replica:x:802:803::/:/sbin/nologin\n", "/etc/group": "", ...files });
  for (const folder of ["/boot/config", "/var/lib/ic/data", "/var/lib/ic/crypto", "/mnt"])
    mkdirSync(machine.at(folder), { recursive: true });
  attach(machine, medium);
  return machine.over({ ...machine.host, list: async (path) => (path === "/sys/class/block" ? [] : machine.host.list(path)) });
}

function attach(machine: NamespaceMachine, medium: readonly RawEntry[] | Buffer | undefined): void {
  if (medium !== undefined) writeFileSync(machine.layout.medium.directTar, Buffer.isBuffer(medium) ? medium : rawTar(medium));
}

async function boot(machine: NamespaceMachine): Promise<readonly string[]> {
  return [...(await runUnit(configInjection, machine)), ...(await runUnit(injectedData, machine))];
}

/** Mode and owners of a path. */
function factsOn(machine: NamespaceMachine): (path: string) => string {
  return (path) => {
    const { mode, uid, gid } = statSync(machine.at(path));
    return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
  };
}

test("a first boot stores everything where it belongs, with owners and modes of our own, and nothing else", async () => {
  const machine = node(A);
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
  const facts = factsOn(machine);
  expect(facts("/boot/config/network.conf")).toBe("644 0:0");
  expect(facts("/boot/config/accounts_ssh_authorized_keys/admin")).toBe("644 0:0");
  expect(facts("/var/lib/ic/data/nns_public_key.pem")).toBe("644 802:803");
  expect(facts("/var/lib/ic/data/ic_registry_local_store/00")).toBe("755 802:803");
  expect(facts("/var/lib/ic/data/ic_registry_local_store/00/01.pb")).toBe("644 802:803");
  expect(facts("/var/lib/ic/crypto/node")).toBe("700 802:803");
  expect(facts("/var/lib/ic/crypto/node/secret")).toBe("600 802:803");
});

test("an image with the accounts of the parts gives the trees to them at once, and data-owners has nothing to read again", async () => {
  const machine = node(A, {
    "/etc/passwd": "ic-replica:x:802:803::/:/sbin/nologin\nic-csp-vault:x:804:805::/:/sbin/nologin\n",
    "/etc/group": "ic-csp-vault:x:805:\nic-registry-local-store:x:806:\n",
  });
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
  const facts = factsOn(machine);
  for (const folder of ["", "/00"]) expect(facts(`/var/lib/ic/data/ic_registry_local_store${folder}`)).toBe("2750 802:806");
  expect(facts("/var/lib/ic/data/ic_registry_local_store/00/01.pb")).toBe("640 802:806");
  for (const folder of ["", "/node"]) expect(facts(`/var/lib/ic/crypto${folder}`)).toBe("2750 804:805");
  expect(facts("/var/lib/ic/crypto/node/secret")).toBe("640 804:805");
  expect(facts("/var/lib/ic/data/nns_public_key.pem")).toBe("644 802:803");
});

test("a file larger than what is held of it at a time arrives whole", async () => {
  const large = [{ name: "./ic_state/large", content: Buffer.alloc(3_000_001, "abcdefg") }];
  const machine = node(large);
  await boot(machine);
  expect(everything(machine)).toEqual(expected(large));
});

test("the second boot inspects nothing and does nothing, whatever is attached then", async () => {
  const machine = node(A);
  await boot(machine);
  const tools = machine.tools.length;
  attach(machine, B);
  expect(await boot(machine)).toEqual([]);
  expect(machine.tools).toHaveLength(tools);
  expect(everything(machine)).toEqual(expected(A));
});

test("a medium without keys and state configures a node all the same, and is not needed for the second half", async () => {
  const machine = node([{ name: "network.conf", content: "hostname=a\n" }]);
  await runUnit(configInjection, machine);
  await machine.host.remove(machine.layout.medium.directTar);
  await runUnit(injectedData, machine);
  expect(everything(machine)).toEqual({ "boot/config/network.conf": "hostname=a\n", "boot/config/CONFIGURED": "" });
});

test("the data is durable before any of it is put into place, and all of it before CONFIGURED", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  const effects: string[] = [];
  const { host } = machine;
  const watching: Host = {
    ...host,
    run: async (command) => (effects.push(command.program), host.run(command)),
    rename: async (from, to) => (effects.push("rename"), host.rename(from, to)),
    writeFile: async (path, ...rest) => (
      effects.push(`write ${relative(machine.at("/boot/config"), path)}`),
      host.writeFile(path, ...rest)
    ),
  };
  await runUnit(injectedData, machine.over(watching));
  expect(effects).toEqual(["sync", "sync", "write injected-data.json", ...Array.from({ length: 5 }, () => "rename"), "write CONFIGURED"]);
});

/** Runs both units with the power cut before every effect, each time on a machine of its own. */
async function cutEverywhere(
  prepare: () => Promise<NamespaceMachine>,
  after: (machine: NamespaceMachine) => Promise<void>,
): Promise<number> {
  return atEveryEffect(
    prepare,
    async (machine, interrupt) => boot(machine.over(interrupt(machine.host))),
    async (machine, n) => {
      await after(machine);
      expect(await boot(machine), `nothing is left to do after the cut at effect ${n}`).toEqual([]);
    },
  );
}

test("a power cut before any effect ends, after the next boot, with exactly the medium's content", async () => {
  const cuts = await cutEverywhere(
    async () => node(A, { "/boot/config/backup.conf": "" }),
    async (machine) => {
      await boot(machine);
      expect(everything(machine)).toEqual(expected(A));
    },
  );
  expect(cuts).toBeGreaterThan(20);
});

test("when the medium is exchanged after a power cut, the node has exactly one of both contents", async () => {
  const cuts = await cutEverywhere(
    async () => node(A),
    async (machine) => {
      const wasConfigured = "boot/config/CONFIGURED" in everything(machine);
      attach(machine, B);
      await boot(machine);
      expect(everything(machine)).toEqual(expected(wasConfigured ? A : B));
    },
  );
  expect(cuts).toBeGreaterThan(20);
});

test("a second power cut, while the exchanged medium is being taken in, changes nothing about that", async () => {
  await cutEverywhere(
    async () => {
      const machine = node(A);
      await runUnit(configInjection, machine);
      // As far as A can come without being through.
      const { host, layout } = machine;
      const stops = {
        ...host,
        writeFile: async (path: string, ...rest: [string | Uint8Array, { mode: number }]) =>
          path === layout.config.configured ? Promise.reject(new Error("no power")) : host.writeFile(path, ...rest),
      };
      await expect(runUnit(injectedData, machine.over(stops))).rejects.toThrow("no power");
      attach(machine, B);
      return machine;
    },
    async (machine) => {
      await boot(machine);
      expect(everything(machine)).toEqual(expected(B));
    },
  );
});

test("keys that no medium brought are a conflict, and are not touched", async () => {
  const machine = node(A, { "/var/lib/ic/crypto/node/secret": "a node's own" });
  const problem = await problemOf(async () => boot(machine));
  expect(problem.what).toContain(machine.at("/var/lib/ic/crypto/node"));
  expect(everything(machine)).not.toHaveProperty("boot/config/CONFIGURED");
  expect(everything(machine)["var/lib/ic/crypto/node/secret"]).toBe("a node's own");
});

test("what a medium brought and the node has changed since is a conflict, also for the next medium", async () => {
  const machine = node(A);
  await boot(machine);
  await machine.host.remove(machine.layout.config.configured);
  writeFileSync(machine.at("/var/lib/ic/data/ic_state/new"), "made by the node");
  attach(machine, B);
  await problemOf(async () => boot(machine));
  expect(everything(machine)["var/lib/ic/data/ic_state/new"]).toBe("made by the node");
});

test("files that are there already, and are what the medium brings, are taken as they are", async () => {
  const machine = node(A, { "/var/lib/ic/data/nns_public_key.pem": KEY });
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
});

test("a medium that is exchanged between the two units is refused, and leaves nothing", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  attach(machine, B);
  expect(await problemOf(async () => runUnit(injectedData, machine))).toMatchObject({
    what: "the configuration medium was replaced while it was being read",
  });
  expect(readdirSync(machine.at("/var/lib/ic/data"))).toEqual([]);
  expect(readdirSync(machine.at("/var/lib/ic/crypto"))).toEqual([]);
});

test("a medium that is gone before its data was stored is missed, and worth another try", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  await machine.host.remove(machine.layout.medium.directTar);
  expect(await problemOf(async () => runUnit(injectedData, machine))).toMatchObject({
    retryable: true,
    what: "no configuration medium was found",
  });
});

test("a disk that is full while data is unpacked is not left full", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  const { host } = machine;
  let written = 0;
  const full: Host = {
    ...host,
    writeStream: async (...args) =>
      (written += 1) === 3 ? Promise.reject(new Error("ENOSPC: no space left on device")) : host.writeStream(...args),
  };
  await expect(runUnit(injectedData, machine.over(full))).rejects.toThrow("ENOSPC");
  expect(readdirSync(machine.at("/var/lib/ic/data"))).toEqual([]);
  expect(readdirSync(machine.at("/var/lib/ic/crypto"))).toEqual([]);
});

test("when the data cannot be made durable, none of it is put into place", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  const { host } = machine;
  const failing: Host = { ...host, run: async (command) => host.run({ ...command, program: "false" }) };
  await expect(runUnit(injectedData, machine.over(failing))).rejects.toThrow("exit status 1");
  expect(Object.keys(everything(machine)).filter((path) => path.startsWith("var/lib/ic"))).toEqual([]);
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
});

test("data that was not announced is not stored", async () => {
  expect(await problemOf(async () => runUnit(injectedData, node(A)))).toMatchObject({
    what: "it is not recorded which configuration is being stored",
  });
});

test.each(badFiles.filter(({ isRefused }) => isRefused).map((bad, index) => [`${bad.file} (${index})`, bad] as const))(
  "nothing of a medium with a bad %s is stored, and what is wrong is said to the column",
  async (_, bad) => {
    const machine = node(badTar(bad));
    const problem = await problemOf(() => boot(machine));
    expect(problem.where?.file).toBe(`${machine.layout.medium.directTar}: ${bad.file}`);
    const { line, column } = problem.where ?? {};
    expect(line === undefined ? undefined : `${line}:${column}`).toBe(bad.place);
    expect(`${problem.what} ${problem.found}`).toMatch(bad.found);
    expect(problem.todo).toBeTruthy();
    expect(everything(machine)).toEqual({});
  },
);

test.each(badFiles.filter(({ isRefused }) => !isRefused).map((bad, index) => [`${bad.file} (${index})`, bad] as const))(
  "a medium with a bad %s is taken in, and what is wrong is noted to the column",
  async (_, bad) => {
    const machine = node(badTar(bad));
    await boot(machine);
    const [line, column] = bad.place?.split(":") ?? [];
    const notes = machine.notes.filter((note) => note.startsWith(`${bad.file}: `)).join("\n");
    expect(notes).toMatch(bad.found);
    if (!bad.isOutOfReach) expect(notes).toContain(`line ${line}, column ${column}: `);
    expect(everything(machine)).toHaveProperty(["boot/config/CONFIGURED"]);
  },
);

test.each([...hostileTars])("a tar with %s is refused as a whole, and nothing appears outside of it", async (_, tar) => {
  const machine = node(tar);
  const before = readdirSync(machine.root, { recursive: true });
  const problem = await problemOf(() => boot(machine));
  expect(problem.what).toMatch(REFUSED);
  expect(problem.where?.file.startsWith(machine.layout.medium.directTar)).toBe(true);
  expect(readdirSync(machine.root, { recursive: true })).toEqual(before);
});

test.each([...emptyTars])("a tar with %s configures nothing, and the right medium is taken in at the next boot", async (_, tar) => {
  const machine = node(tar);
  const problem = await problemOf(() => boot(machine));
  expect(problem).toMatchObject({ what: "there is no configuration in the tar", where: { file: machine.layout.medium.directTar } });
  expect(problem.found).toBeTruthy();
  expect(problem.expected).toContain("network.conf");
  expect(everything(machine)).toEqual({});
  expect(readdirSync(machine.at("/boot/config"))).toEqual([]);
  attach(machine, A);
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
});

test("a medium of nothing in the place of the one that was being taken in does not end what was begun", async () => {
  const machine = node(A);
  await runUnit(configInjection, machine);
  attach(machine, Buffer.alloc(10_240));
  expect(await problemOf(() => boot(machine))).toMatchObject({ what: "there is no configuration in the tar" });
  expect(everything(machine)).not.toHaveProperty("boot/config/CONFIGURED");
  attach(machine, A);
  await boot(machine);
  expect(everything(machine)).toEqual(expected(A));
});
