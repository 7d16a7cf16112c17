import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bootstrapLimits, extractMediumData, inspectBootstrapTar, type Inspection } from "../../../src/medium/bootstrap-tar.ts";
import { guestosMedium } from "../../../src/medium/guestos-medium.ts";
import type { MediumReader } from "../../../src/medium/medium-source.ts";
import { readTar, type TarLimits } from "../../../src/medium/medium-tar.ts";
import { type Problem, ProblemError } from "../../../src/base/problem.ts";
import { problemOf } from "../../support/problem-of.ts";
import { paxRecord, pieces, type RawEntry, rawTar } from "../../support/raw-tar.ts";

const inspect = async (tar: Uint8Array, limits?: TarLimits): Promise<Inspection> =>
  inspectBootstrapTar(pieces(tar), "t.tar", guestosMedium, limits === undefined ? {} : { limits });
const readerOf =
  (chunks: AsyncIterable<Uint8Array>): MediumReader =>
  async (limits, visit) =>
    readTar(chunks, "t.tar", limits, visit);
const refused = async (entries: readonly RawEntry[], limits?: TarLimits): Promise<Problem> =>
  problemOf(async () => inspect(rawTar(entries), limits));

const good: RawEntry = { name: "network.conf", content: "hostname=a\n" };
const KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

test("what belongs to a node is taken apart by where it goes", async () => {
  const tar = rawTar([
    { name: "./" },
    { name: "./network.conf", content: "hostname=a\n" },
    { name: "./accounts_ssh_authorized_keys/" },
    { name: "./accounts_ssh_authorized_keys/admin", content: "# no one\n" },
    { name: "nns_public_key.pem", content: KEY },
    { name: "ic_crypto/node/key", content: "k" },
    { name: "ic_crypto/top", content: "t" },
    { name: "ic_registry_local_store/" },
    { name: "ic_state/a/b/c", content: "c" },
  ]);
  const inspection = await inspect(tar);
  expect(inspection.sha256).toBe(createHash("sha256").update(tar).digest("hex"));
  expect([...inspection.config].map(([name, content]) => [name, Buffer.from(content).toString()])).toEqual([
    ["network.conf", "hostname=a\n"],
    ["accounts_ssh_authorized_keys/admin", "# no one\n"],
  ]);
  expect(inspection.data.map(({ target }) => target)).toEqual([
    "ic_crypto/node",
    "ic_crypto/top",
    "ic_registry_local_store",
    "ic_state",
    "nns_public_key.pem",
  ]);
  expect(inspection.warnings).toEqual([]);
});

test("it does not matter in what pieces a tar comes", async () => {
  const tar = rawTar([
    { name: "network.conf", content: "hostname=a\n" },
    { name: "ic_state/x", content: Buffer.alloc(3000, 7) },
  ]);
  const whole = await inspect(tar);
  for (const size of [1, 7, 511, 512, 513, 4096])
    expect(await inspectBootstrapTar(pieces(tar, size), "t.tar", guestosMedium)).toEqual(whole);
});

/** tar(5): two records of zeros end an archive, so zeros alone are an archive, and a whole one. */
test.each<readonly [string, readonly RawEntry[], string]>([
  ["no entry at all", [], "no entry"],
  ["the folder that it was made from, and nothing in it", [{ name: "./" }], "no entry"],
  [
    "names that no node knows",
    [
      { name: "README", content: "x" },
      { name: "etc/passwd", content: "x" },
    ],
    '"README", "etc/passwd"',
  ],
  ["known folders with nothing in them", [{ name: "ic_crypto/" }, { name: "ic_state/" }], '"ic_crypto", "ic_state"'],
  ["an empty folder of keys", [{ name: "accounts_ssh_authorized_keys/" }], '"accounts_ssh_authorized_keys"'],
  ["known files with nothing in them", [{ name: "network.conf" }, { name: "nns.conf", content: " \n\n" }], '"network.conf", "nns.conf"'],
  ["a tree of empty files", [{ name: "ic_state/a/b" }, { name: "ic_crypto/node/key" }], '"ic_state/a/b", "ic_crypto/node/key"'],
])("a tar with %s configures no node", async (_, entries, found) => {
  expect(await refused(entries)).toMatchObject({
    what: "there is no configuration in the tar",
    where: { file: "t.tar" },
    found,
    expected: expect.stringMatching(/^at least one of network\.conf, .*ic_state, and something in it$/) as string,
    todo: "add what the node needs, and build the medium again with guestos-boot (docs/configuration.md)",
  });
});

test.each<readonly [string, readonly RawEntry[], string]>([
  ["one folder too deep", [{ name: "node7/" }, { name: "node7/network.conf", content: "hostname=a\n" }], '"node7"'],
  ["two folders too deep", [{ name: "./out/node7/ic_state/x", content: "x" }], '"out/node7"'],
])("a tar with everything %s configures no node, and the folder is named", async (_, entries, folder) => {
  const { what, found, todo } = await refused(entries);
  expect(what).toBe("there is no configuration in the tar");
  expect(found).toContain(entries.at(-1)?.name.replace("./", ""));
  expect(todo).toMatch(
    new RegExp(`^the content of the folder ${folder} belongs at the top of the tar: build the medium again .*, from that folder$`),
  );
});

test("of a tar with nothing in it the names are listed up to ten, and what is wrong is found soon", async () => {
  const deep = "x/".repeat(30);
  const { found } = await refused(Array.from({ length: 3000 }, (_, index) => ({ name: `${deep}${index}`, content: "x" })));
  expect(found?.split(", ")).toHaveLength(11);
  expect(found).toContain("2990 more");
});

test("a file with nothing in it beside others is stored, and said", async () => {
  const { config, warnings } = await inspect(rawTar([good, { name: "journalbeat.conf" }]));
  expect([...config.keys()]).toEqual(["network.conf", "journalbeat.conf"]);
  expect(warnings).toEqual(["journalbeat.conf: the file is empty, and sets nothing"]);
});

test("nns.conf without an address is said to leave the node with itself", async () => {
  for (const content of ["nns_url=\n", "# none yet\n"])
    expect((await inspect(rawTar([good, { name: "nns.conf", content }]))).warnings).toEqual([
      "nns.conf: nns_url has no value: the node uses http://127.0.0.1:8080, itself, as the network's registry",
    ]);
});

test("a value that networkd would drop is taken in by a node, with a note, and refused to the builder of the medium", async () => {
  const tar = rawTar([{ name: "network.conf", content: "hostname=a\ndomain=localhost.localdomain\n" }]);
  const { config, warnings } = await inspect(tar);
  expect([...config.keys()]).toEqual(["network.conf"]);
  expect(warnings).toEqual([expect.stringMatching(/^network\.conf: line 2, column 8: domain is not usable, and is ignored: /)]);
  const built = inspectBootstrapTar(pieces(tar), "t.tar", guestosMedium, { by: "builder" });
  expect(await problemOf(() => built)).toMatchObject({ where: { file: "t.tar: network.conf", line: 2, column: 8 } });
});

test.each([
  "README",
  "network.conf.bak",
  "NETWORK.CONF",
  "etc/passwd",
  "accounts_ssh_authorized_keys/ic-replica",
  "accounts_ssh_authorized_keys/admin/x",
  "ic_crypto/.injection",
  "ic_crypto/lost+found",
  "CONFIGURED",
  "store.keyfile",
  "machine-id",
  "ssh/ssh_host_ed25519_key",
  "injection.json",
  "ic_states/x",
  "\\..\\x",
])("%s is ignored with a warning, and never stored", async (name) => {
  const inspection = await inspect(rawTar([good, { name, content: "x" }]));
  expect(inspection).toMatchObject({ data: [], warnings: [expect.stringContaining("is ignored")] });
  expect([...inspection.config.keys()]).toEqual(["network.conf"]);
});

test("very many ignored names are counted", async () => {
  const { warnings } = await inspect(rawTar([good, ...Array.from({ length: 500 }, (_, index) => ({ name: `x${index}` }))]));
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toContain("490 more");
});

const HOSTILE: readonly (readonly [string, readonly RawEntry[], string])[] = [
  ["a symbolic link", [{ name: "network.conf", type: "2", linkname: "/etc/shadow" }], "a symbolic link"],
  ["a symbolic link that would be ignored", [{ name: "x", type: "2", linkname: "/etc" }], "a symbolic link"],
  [
    "a link inside of a tree, and a file through it",
    [
      { name: "ic_state/a", type: "2", linkname: "/etc" },
      { name: "ic_state/a/passwd", content: "x" },
    ],
    "a symbolic link",
  ],
  ["a hard link", [{ name: "network.conf", type: "1", linkname: "/etc/shadow" }], "a hard link"],
  ["a character device", [{ name: "ic_state/null", type: "3" }], "a character device"],
  ["a block device", [{ name: "ic_state/vda", type: "4" }], "a block device"],
  ["a FIFO", [{ name: "network.conf", type: "6" }], "a fifo"],
  ["a contiguous file", [{ name: "network.conf", type: "7" }], "a contiguous file"],
  ["a sparse file of GNU tar", [{ name: "network.conf", type: "S" }], "an unknown type"],
  ["a volume label", [{ name: "network.conf", type: "V" }], "an unknown type"],
  ["an absolute name", [{ name: "/network.conf" }], "an absolute name"],
  ["an absolute name after ./", [{ name: ".//etc/passwd" }, { name: "/" }], "an absolute name"],
  ["..", [{ name: "../network.conf" }], ".."],
  [".. in the middle", [{ name: "ic_state/../../etc/passwd" }], ".."],
  [".. at the end", [{ name: "ic_state/.." }], ".."],
  ["a control character", [{ name: "network.conf\n" }], "control character"],
  ["an escape sequence", [{ name: "\x1b[2Jnetwork.conf" }], "control character"],
  ["a name that is not ASCII", [{ name: "ic_state/größe" }], "not ASCII"],
  ["a name that is not UTF-8", [{ name: "", rawName: Buffer.from([0x69, 0xff, 0xfe]) }], "not ASCII"],
  ["a file without a name", [{ name: "./", type: "0", content: "" }], ""],
  ["the same name twice", [{ name: "network.conf" }, { name: "network.conf" }], "twice"],
  ["the same name written in two ways", [{ name: "network.conf" }, { name: "././network.conf" }], "twice"],
  ["the same name as file and folder", [{ name: "ic_state/a" }, { name: "ic_state/a/" }], "twice"],
  ["a file used as a folder", [{ name: "ic_state/a" }, { name: "ic_state/a/b" }], "used as a folder"],
  ["a folder used as a file", [{ name: "ic_state/a/b" }, { name: "ic_state/a" }], "have a folder"],
  ["a folder where a file belongs", [{ name: "network.conf/" }], "a folder"],
  ["a key file that is a folder", [{ name: "nns_public_key.pem/" }], "a folder"],
  ["an account's keys that are a folder", [{ name: "accounts_ssh_authorized_keys/admin/" }], "a folder"],
  ["a file where a folder belongs", [{ name: "ic_state", content: "x" }], "a regular file"],
  ["keys that are a file", [{ name: "accounts_ssh_authorized_keys", content: "x" }], "a regular file"],
  ["ic_crypto as a file", [{ name: "ic_crypto", content: "x" }], "a regular file"],
  ["a folder with a size", [{ name: "ic_state/", size: 5 }], "a folder with a size"],
  ["a size larger than the tar", [{ name: "ic_state/a", size: 5_000_000, content: "x" }], "Unexpected end"],
  [
    "a size larger than any disk",
    [{ name: "ic_state/a", size: Buffer.from([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) }],
    "",
  ],
  ["a size below zero", [{ name: "ic_state/a", size: Buffer.alloc(12, 0xf0).fill(0xff, 0, 1) }], ""],
  ["a size that is no number", [{ name: "ic_state/a", size: "zzzzzzzzzzz\0" }], ""],
  ["a size smaller than the content", [{ name: "ic_state/a", size: 1, content: Buffer.alloc(600, 1) }], "Invalid tar header"],
  ["a wrong checksum", [{ name: "network.conf", badChecksum: true }], "Invalid tar header"],
  ["a pax record that renames", [{ name: "x", type: "x", content: paxRecord("path", "../../etc/passwd") }, { name: "network.conf" }], ".."],
  [
    "a pax record with another size",
    [
      { name: "x", type: "x", content: paxRecord("size", "99999999") },
      { name: "ic_state/a", content: "x" },
    ],
    "",
  ],
  [
    "a pax record with a size below zero",
    [
      { name: "x", type: "x", content: paxRecord("size", "-5") },
      { name: "ic_state/a", content: "x" },
    ],
    "",
  ],
  [
    "a folder that gets a size by a pax record",
    [{ name: "x", type: "x", content: paxRecord("size", "5") }, { name: "ic_state/" }],
    "a folder with a size",
  ],
  [
    "a sparse file by pax records",
    [
      { name: "x", type: "x", content: paxRecord("GNU.sparse.major", "1") },
      { name: "ic_state/a", content: "x" },
    ],
    "sparse",
  ],
  ["a GNU long name that climbs out", [{ name: "x", type: "L", content: `${"a/".repeat(60)}../../x\0` }, { name: "network.conf" }], ".."],
  [
    "a GNU long name with a NUL in the middle",
    [{ name: "x", type: "L", content: "/etc/passwd\0network.conf\0" }, { name: "network.conf" }],
    "an absolute name",
  ],
  [
    "a GNU long name with a size below zero",
    [
      { name: "x", type: "L", size: Buffer.alloc(12, 0xf0).fill(0xff, 0, 1) },
      { name: "network.conf", content: "hostname=a\n" },
      { name: "ic_state/..", content: "x" },
    ],
    "",
  ],
  ["a header of 5 MiB", [{ name: "x", type: "x", content: Buffer.alloc(5 * 1024 * 1024, 0x20) }, { name: "network.conf" }], "exceeds"],
  ["a configuration file of 64 KiB and one", [{ name: "network.conf", content: Buffer.alloc(65_537, 0x0a) }], "65537 bytes"],
  [
    "authorized keys of 64 KiB and one",
    [{ name: "accounts_ssh_authorized_keys/root", content: Buffer.alloc(65_537, 0x0a) }],
    "65537 bytes",
  ],
  ["a key of 64 KiB and one", [{ name: "nns_public_key.pem", content: Buffer.alloc(65_537, 0x0a) }], "65537 bytes"],
  ["a private key that is none", [{ name: "node_operator_private_key.pem", content: "canary-secret" }], "no PEM block"],
];

test.each(HOSTILE)("%s is refused", async (_, entries, found) => {
  const problem = await refused(entries);
  expect(problem.where?.file).toMatch(/^t\.tar/);
  expect(`${problem.what} ${problem.found}`).toContain(found);
  expect(JSON.stringify(problem)).not.toContain("canary-secret");
});

test("bad values are found in the tar, with their line and column: a node stores the file, the builder of a medium refuses it", async () => {
  const tar = rawTar([{ name: "./network.conf", content: "# x\nhostname=-a\n" }]);
  const { config, warnings } = await inspect(tar);
  expect(Buffer.from(config.get("network.conf") ?? []).toString()).toBe("# x\nhostname=-a\n");
  expect(warnings).toEqual([
    expect.stringMatching(/^network\.conf: line 2, column 10: hostname is not usable, and is ignored: found "-a"/),
  ]);
  const built = inspectBootstrapTar(pieces(tar), "t.tar", guestosMedium, { by: "builder" });
  expect(await problemOf(async () => built)).toMatchObject({ where: { file: "t.tar: network.conf", line: 2, column: 10 }, found: '"-a"' });
});

test("what is allowed and will not work is a warning that names its file", async () => {
  expect((await inspect(rawTar([{ name: "network.conf", content: "ipv4_address=192.0.2.1/24\n" }]))).warnings).toEqual([
    expect.stringContaining("network.conf: ipv4_address"),
  ]);
});

test.each([
  ["entries", { entries: 3 }, [{ name: "ic_state/a/b/c" }], "more than 3 entries"],
  ["bytes of the whole", { tarBytes: 2000 }, [{ name: "ic_state/a", content: "x" }], "more than 2000 bytes"],
  ["bytes of a name", { pathBytes: 20 }, [{ name: "ic_state/aaaaaaaaaaaa" }], "21 bytes"],
  ["bytes of a part of a name", { nameBytes: 8 }, [{ name: "ic_state/aaaaaaaaa" }], "more than 8 bytes"],
  ["folders within each other", { depth: 3 }, [{ name: "ic_state/a/b/c" }], "4 folders"],
] as const)("too many %s are refused", async (_, limits, entries, found) => {
  const problem = await refused(entries, { ...bootstrapLimits, ...limits });
  expect(problem.found).toContain(found);
});

test("a tar that was cut off is refused, wherever the cut is", async () => {
  const tar = rawTar([
    { name: "network.conf", content: "hostname=a\n" },
    { name: "ic_state/a", content: Buffer.alloc(700, 1) },
  ]);
  for (let length = 0; length < tar.length; length += length % 512 === 0 ? 1 : 511) {
    const problem = await problemOf(async () => inspect(tar.subarray(0, length)));
    expect(problem.what, `cut at ${length}`).toBe("the tar is damaged or cut off");
  }
});

test("something that is no tar is refused", async () => {
  for (const bytes of [Buffer.from("hello"), Buffer.alloc(4096, 0x41), Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(0)]) {
    expect(await problemOf(async () => inspect(bytes))).toMatchObject({ what: "the tar is damaged or cut off" });
  }
});

test("a source that fails in the middle is that failure, not a damaged tar", async () => {
  async function* failing(): AsyncIterable<Uint8Array> {
    yield rawTar([{ name: "ic_state/a", content: Buffer.alloc(5000) }]).subarray(0, 2048);
    throw new ProblemError({ code: "test-problem", what: "the medium is gone" }, { retryable: true });
  }
  expect(await problemOf(async () => inspectBootstrapTar(failing(), "t.tar", guestosMedium))).toMatchObject({
    what: "the medium is gone",
    retryable: true,
  });
});

test("what goes wrong with the one who takes the content is not the tar's fault", async () => {
  const tar = rawTar([{ name: "ic_state/a", content: Buffer.alloc(5000) }]);
  const full = new Error("ENOSPC");
  await expect(extractMediumData(readerOf(pieces(tar, 512)), guestosMedium, ["ic_state"], async () => Promise.reject(full))).rejects.toBe(
    full,
  );
  const cut = extractMediumData(
    readerOf(pieces(tar.subarray(0, 2048), 512)),
    guestosMedium,
    ["ic_state"],
    async (_, entry) => void (await Array.fromAsync(entry.content)),
  );
  expect(await problemOf(async () => cut)).toMatchObject({ what: "the tar is damaged or cut off" });
});

test("whatever bytes are changed, the end is an answer or a problem, and comes soon", async () => {
  const tar = rawTar([
    { name: "./" },
    { name: "x", type: "x", content: paxRecord("path", "ic_state/b") },
    { name: "y", content: "z".repeat(40) },
    { name: "ic_state/", type: "5" },
    { name: "x", type: "L", content: "ic_state/long\0" },
    { name: "q", content: "" },
    { name: "network.conf", content: "hostname=a\n" },
  ]);
  const change = fc.tuple(
    fc.nat(tar.length - 1),
    fc.oneof(fc.constantFrom(0, 0x20, 0x2d, 0x30, 0x35, 0x37, 0x80, 0xff, 0x78, 0x4c, 0x67), fc.nat(255)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.constantFrom(64, 512, 100_000), async (changes, size) => {
      const bytes = Buffer.from(tar);
      for (const [at, value] of changes) bytes[at] = value;
      // Headers with a right checksum, or the change would never get past it.
      for (let block = 0; block < bytes.length; block += 512) {
        const header = bytes.subarray(block, block + 512);
        if (header.toString("latin1", 257, 262) !== "ustar") continue;
        header.write("        ", 148);
        header.write(
          `${header
            .reduce((sum, byte) => sum + byte, 0)
            .toString(8)
            .padStart(6, "0")}\0 `,
          148,
        );
      }
      const late = Symbol("late");
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<symbol>((resolve) => (timer = setTimeout(() => resolve(late), 2000)));
      const end = inspectBootstrapTar(pieces(bytes, size), "t.tar", guestosMedium).catch((error: unknown) => error);
      const outcome = await Promise.race([end, deadline]);
      clearTimeout(timer);
      expect(outcome).not.toBe(late);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ProblemError);
    }),
    { numRuns: 400 },
  );
}, 60_000);

test("the second reading gives the same digest, and only what was asked for", async () => {
  const tar = rawTar([
    { name: "network.conf", content: "hostname=a\n" },
    { name: "ic_state/a", content: "A" },
    { name: "ic_crypto/k", content: "K" },
    { name: "nns_public_key.pem", content: KEY },
  ]);
  const seen: string[] = [];
  const sha256 = await extractMediumData(
    readerOf(pieces(tar, 100)),
    guestosMedium,
    ["ic_state", "nns_public_key.pem"],
    async (target, entry) => {
      const content = Buffer.concat(await Array.fromAsync(entry.content));
      seen.push(`${target}: ${entry.name} (${content.length})`);
    },
  );
  expect(sha256).toBe((await inspect(tar)).sha256);
  expect(seen).toEqual(["ic_state: ic_state/a (1)", `nns_public_key.pem: nns_public_key.pem (${KEY.length})`]);
});
