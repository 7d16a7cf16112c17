/**
 * Inside a user-mode machine: VFAT images of media, damaged at random, on a loop device, as a node finds them. Each is taken or refused, the
 * same at a second look. In between come some that change while they are read. One line of JSON a fault, and one at the end.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProblemError } from "../../../src/base/problem.ts";
import { isConflict } from "../../../src/boot/unit.ts";
import { type Host, systemHost } from "../../../src/system/host.ts";
import { configInjection } from "../../../src/units/injection/config-injection.ts";
import { sampleConfig } from "../../support/guestos-config-samples.ts";
import { testLayout } from "../../support/test-layout.ts";
import { testMachine } from "../../support/test-machine.ts";
import { looseMedium, seedMedium, todaysMedium, todaysTar } from "../../support/todays-media.ts";
import { chooser, damaged } from "./damage.ts";

const COUNT = Number(process.env["MEDIA"] || "100");
const SEED = Number(process.env["SEED"] || "1");
/** One that is damaged, alone; 0 for all. */
const CASE = Number(process.env["CASE"] || "0");
/** After so many that are damaged comes one that changes while it is read. */
const BETWEEN = 20;
/** Milliseconds for one decision. A busy host may hold up one look at a medium; what is in the medium holds up both. */
const LONGEST = 10_000;

const DEVICE = "loop7";
const FILE = "/tmp/medium.img";
const tree = {
  "config.json": sampleConfig("1.17.0"),
  "network.conf": "hostname=node\n",
  "accounts_ssh_authorized_keys/admin": "# none\n",
  "ic_crypto/node/secret": "crypto",
  "ic_registry_local_store/00/01.pb": "registry ".repeat(3000),
};
const tar = todaysTar(tree);
const images = [todaysMedium(tar), seedMedium(tar), looseMedium(tree)];

function machineFor(over: (host: Host) => Host = (host) => host) {
  const root = mkdtempSync("/run/machine-");
  for (const folder of ["etc", "boot/config", "boot/grub", "mnt", "run/config", "var/lib/ic"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), "ic-replica:x:802:803::/:/sbin/nologin\n");
  writeFileSync(join(root, "etc/group"), "");
  const layout = testLayout(root);
  const own = systemHost();
  const host: Host = {
    ...own,
    // The one device of this machine, which is a removable drive.
    list: async (path) => (path === "/sys/class/block" ? [DEVICE] : own.list(path)),
    readText: async (path) => (path === `/sys/class/block/${DEVICE}/removable` ? "1\n" : own.readText(path)),
  };
  return testMachine(over(host), layout);
}

function tool(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}

const machine = machineFor();

/** What is decided of the medium that is there. Anything but a plan, a conflict or a ProblemError is a fault of the program. */
async function decision(on = machine): Promise<string> {
  try {
    const plan = await configInjection.plan(on);
    return JSON.stringify(isConflict(plan) ? plan.conflict : plan.map(({ description }) => description));
  } catch (error) {
    if (error instanceof ProblemError) return JSON.stringify(error.problem);
    throw error;
  }
}

async function whileThere<T>(image: Buffer, use: () => Promise<T>): Promise<T> {
  writeFileSync(FILE, image);
  tool("losetup", `/dev/${DEVICE}`, FILE);
  try {
    return await use();
  } finally {
    tool("losetup", "--detach", `/dev/${DEVICE}`);
  }
}

const counts = { taken: 0, refused: 0, noMedium: 0, changed: 0 };
/** Milliseconds of the medium that took longest, at the quicker one of both looks. */
let slowest = 0;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param of the medium: its kind and number */
const fault = (what: string, of: Readonly<Record<string, number>>): void => say({ fault: what, ...of, seed: SEED });

async function damagedOne(index: number): Promise<void> {
  const choose = chooser(`${SEED} damaged ${index}`);
  const image = damaged(images[choose(images.length)] ?? Buffer.alloc(512), choose);
  await whileThere(image, async () => {
    const start = performance.now();
    const first = await decision();
    const middle = performance.now();
    const second = await decision();
    const took = Math.min(middle - start, performance.now() - middle);
    slowest = Math.max(slowest, took);
    if (took > LONGEST) fault(`took ${took} ms, each time`, { case: index });
    if (first !== second) fault(`decided ${first}, and then ${second}`, { case: index });
    if (first.startsWith("[")) counts.taken += 1;
    else if (first.includes('"medium-not-found"')) counts.noMedium += 1;
    else counts.refused += 1;
  });
}

/** While a file of the medium is read, the device ends, shrinks, or has another content. Afterwards it is as it was. */
async function changingOne(index: number): Promise<void> {
  const choose = chooser(`${SEED} changing ${index}`);
  const image = images[choose(images.length)] ?? Buffer.alloc(512);
  let left = choose(6);
  const change = [
    () => truncateSync(FILE, 0),
    () => truncateSync(FILE, choose(image.length)),
    () => writeFileSync(FILE, damaged(image, choose)),
    () => writeFileSync(FILE, images[choose(images.length)] ?? image),
  ][choose(4)];
  const changing = machineFor((host) => ({
    ...host,
    readAt: async (path, ...rest) => {
      left -= 1;
      if (left === 0) {
        change?.();
        writeFileSync("/proc/sys/vm/drop_caches", "1");
      }
      return host.readAt(path, ...rest);
    },
  }));
  const undisturbed = await whileThere(image, async () => decision());
  await whileThere(image, async () => decision(changing));
  const after = await whileThere(image, async () => decision());
  if (after !== undisturbed) fault(`decided ${after} after a medium that changed, and ${undisturbed} before`, { changing: index });
  counts.changed += 1;
}

for (const image of images) {
  const whole = await whileThere(image, async () => decision());
  if (!whole.startsWith("[")) fault(`a whole medium is not taken: ${whole}`, {});
}
const before = process.memoryUsage().rss;
for (let index = CASE || 1; index <= (CASE || COUNT); index += 1) {
  if (index % 250 === 0) say({ tried: index, ...counts });
  await tried(async () => damagedOne(index), { case: index });
  const changing = index / BETWEEN;
  if (CASE === 0 && Number.isInteger(changing)) await tried(async () => changingOne(changing), { changing });
}

async function tried(one: () => Promise<void>, of: Readonly<Record<string, number>>): Promise<void> {
  try {
    await one();
  } catch (error) {
    fault(error instanceof Error ? (error.stack ?? error.message) : String(error), of);
  }
}
const left = readFileSync("/proc/self/mountinfo", "utf8").includes(DEVICE);
if (left) fault("a medium is still mounted", {});
say({ end: counts, slowestMs: Math.round(slowest), grownMiB: Math.round((process.memoryUsage().rss - before) / 2 ** 20) });
