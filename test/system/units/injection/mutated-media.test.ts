import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProblemError } from "../../../../src/base/problem.ts";
import { isConflict } from "../../../../src/boot/unit.ts";
import { configInjection } from "../../../../src/units/injection/config-injection.ts";
import { injectedData } from "../../../../src/units/injection/injected-data.ts";
import { sampleConfig } from "../../../support/guestos-config-samples.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { TAR_FORMATS, todaysTar } from "../../../support/todays-media.ts";
import { canary, ran } from "../../../support/canaries.ts";

/**
 * Tars of real media, damaged at random: in their headers, with the checksum corrected or not, in their structure, and in config.json itself.
 * Whatever becomes of one, it is taken or refused with a Problem, the same at a second look, and nothing is written outside its places.
 *
 * MUTATIONS: how many (200). SEED: of another run.
 */
const RUNS = Number(process.env["MUTATIONS"] ?? 200);
const SEED = process.env["SEED"];

const BLOCK = 512;
/** Longer than a header has room for, so that each format has its own kind of entry for it. */
const LONG = `ic_registry_local_store/${"a-long-name/".repeat(10)}end.pb`;
const tree = {
  "config.json": sampleConfig("1.17.0"),
  "network.conf": "hostname=node\n",
  "accounts_ssh_authorized_keys/admin": "# none\n",
  "ic_crypto/node/secret": canary("the crypto of a medium", "crypto-91ac33e0-of-a-medium"),
  "ic_state/large": "x".repeat(3000),
  [LONG]: "registry",
};
const bases = TAR_FORMATS.map((format) => todaysTar(tree, format));

/** Fields of a header that is written by tar(5): where they begin, and how long they are. */
const FIELDS = [
  [0, 100],
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
] as const;

type Mutation = (tar: Buffer) => Buffer;

const at = (tar: Buffer, where: number): number => Math.floor(where * tar.length);
const blockAt = (tar: Buffer, where: number): number => Math.floor((where * tar.length) / BLOCK) * BLOCK;
const cutOut = (tar: Buffer, from: number, to: number, between: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([tar.subarray(0, from), between, tar.subarray(to)]);

/** As whoever writes a hostile tar would: without it, nothing behind a wrong checksum is read. */
function withChecksum(tar: Buffer, block: number): Buffer {
  const header = tar.subarray(block, block + BLOCK);
  if (header.length < BLOCK) return tar;
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return tar;
}

const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const fieldValue = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 155 }),
  fc
    .constantFrom(
      "77777777777\0",
      "\x80\0\0\0\0\0\0\0\0\0\0\x01",
      "-1",
      "../../etc/passwd\0",
      "/etc/shadow\0",
      "x\0",
      "\0",
      "L",
      "K",
      "x",
      "g",
      "2",
      "1",
      "S",
    )
    .map((text) => Buffer.from(text, "latin1")),
);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(where, fc.constantFrom(...FIELDS), fieldValue, fc.boolean())
    .map(([place, [start, length], value, isCorrected]): Mutation => (tar) => {
      const block = blockAt(tar, place);
      tar.set(value.subarray(0, Math.min(length, Math.max(0, tar.length - block - start))), Math.min(block + start, tar.length));
      return isCorrected ? withChecksum(tar, block) : tar;
    }),
  fc.tuple(where, fc.integer({ min: 1, max: 255 })).map(([place, bits]): Mutation => (tar) => {
    const index = at(tar, place);
    tar[index] = (tar[index] ?? 0) ^ bits;
    return tar;
  }),
  where.map(
    (place): Mutation =>
      (tar) =>
        tar.subarray(0, at(tar, place)),
  ),
  where.map(
    (place): Mutation =>
      (tar) =>
        cutOut(tar, blockAt(tar, place), blockAt(tar, place) + BLOCK),
  ),
  fc.tuple(where, where).map(([from, to]): Mutation => (tar) => {
    const block = Buffer.from(tar.subarray(blockAt(tar, from), blockAt(tar, from) + BLOCK));
    return cutOut(tar, blockAt(tar, to), blockAt(tar, to), block);
  }),
  fc.tuple(where, fc.uint8Array({ minLength: BLOCK, maxLength: BLOCK })).map(([place, bytes]): Mutation => (tar) => {
    return cutOut(tar, blockAt(tar, place), blockAt(tar, place), bytes);
  }),
  // In config.json itself, which is the first file: a piece of its text in the place of another one.
  fc
    .tuple(where, where, fc.constantFrom('"', "{", "[", "}", ",", "\\u0000", "1e999", "null", '"a":', "\xff", "[[[[[[[["))
    .map(([from, to, text]): Mutation => (tar) => {
      const start = tar.indexOf('{\n  "config_version"');
      if (start === -1) return tar;
      const size = 1500;
      const [one, other] = [start + Math.floor(from * size), start + Math.floor(to * size)];
      tar.set(Buffer.from(text, "latin1").subarray(0, Math.max(0, tar.length - one)), Math.min(one, tar.length));
      tar.copyWithin(other, one, one + 20);
      return tar;
    }),
);
const mutated = fc
  .tuple(fc.constantFrom(...bases), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([base, mutations]) => mutations.reduce<Buffer>((tar, mutate) => Buffer.from(mutate(tar)), Buffer.from(base)));

const machine = (() => {
  const made = namespaceMachine({ "/etc/passwd": "ic-replica:x:802:803::/:/sbin/nologin\n", "/etc/group": "" });
  const { host } = made;
  // The block devices of the machine that runs the test are not its own.
  return made.over({ ...host, list: async (path) => (path === "/sys/class/block" ? [] : host.list(path)) });
})();

function reset({ root, at: path }: NamespaceMachine): void {
  for (const name of readdirSync(root)) if (name !== "etc") rmSync(join(root, name), { recursive: true, force: true });
  for (const folder of ["/boot/config", "/var/lib/ic/data", "/var/lib/ic/crypto", "/mnt", "/run"])
    mkdirSync(path(folder), { recursive: true });
}

/** What is decided. Anything but a plan, a conflict or a ProblemError is a fault of the program. */
async function decision(): Promise<unknown> {
  ran();
  try {
    const plan = await configInjection.plan(machine);
    return isConflict(plan) ? plan.conflict : plan.map(({ description }) => description);
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}

const ALLOWED =
  /^(?:boot\/config\/|var\/lib\/ic\/(?:data|crypto)\/|run\/(?:config|guestos-boot|ic-node)\/|mnt\/ic-bootstrap\.tar$|etc\/(?:passwd|group)$)/;

test(`${RUNS} damaged media: taken or refused, the same at a second look, in bounded memory, and nothing is written outside`, async () => {
  let taken = 0;
  const before = process.memoryUsage().rss;
  await fc.assert(
    fc.asyncProperty(mutated, async (tar) => {
      reset(machine);
      writeFileSync(machine.layout.medium.directTar, tar);
      const first = await decision();
      expect(await decision()).toEqual(first);
      if (Array.isArray(first)) {
        taken += 1;
        await runUnit(configInjection, machine);
        // What the config partition need not know may be refused later, and then stays out.
        await runUnit(injectedData, machine).catch((error: unknown) => {
          if (!(error instanceof ProblemError)) throw error;
        });
      } else expect(existsSync(machine.layout.config.injection)).toBe(false);
      const found = readdirSync(machine.root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
      expect(found.filter((entry) => !entry.isFile()).map(({ name }) => name)).toEqual([]);
      const paths = found.map(({ parentPath, name }) => relative(machine.root, join(parentPath, name)));
      expect(paths.filter((path) => !ALLOWED.test(path))).toEqual([]);
    }),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  );
  // A test of refusals alone, or of acceptance alone, would show nothing.
  expect(taken).toBeGreaterThan(RUNS / 20);
  expect(taken).toBeLessThan((RUNS * 19) / 20);
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(150);
}, 600_000);
