/**
 * `make soak`: what happens to a node in an hour, happens to a monitor in a minute: its ruleset changes, breaks, is taken away, and
 * addresses come and go, again and again. It must take no more memory and hold no more files at the end than after the warm-up.
 *
 * SOAK_SECONDS is how long (60). As root, for a network of its own.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { monitoredNamespace, type MonitorUsage } from "../test/support/monitored-namespace.ts";

const seconds = Number(process.env["SOAK_SECONDS"] ?? "") || 60;
const MIB = 1024 ** 2;
/** The heap of V8 breathes by as much between two collections. */
const BREATH = 3 * MIB;
/** Of the 80 MiB that a monitor may take, what the program's file leaves, of which 48 MiB are mapped. */
const OWN_LIMIT = 32 * MIB;
/** The record of the monitor's runs is bounded at 1 MiB, and may grow by a run beyond it (src/monitor/monitor-record.ts). */
const RECORD_LIMIT = 1.1 * MIB;

const program = process.env["SOAK_PROGRAM"] ?? join(import.meta.dirname, "../dist/guestos-boot");
const base = readFileSync(join(import.meta.dirname, "../etc/guestos/nftables.conf"), "utf8");
const rules = (round: number): string => base.replace("22, 9100", `22, 9100, ${10_000 + (round % 1000)}`);

const node = await monitoredNamespace([program], base);
const { inside } = node;
const usages: MonitorUsage[] = [];
let events = 0;

/** One of what happens to a node; small enough to come many times a second. */
async function event(round: number): Promise<void> {
  switch (round % 5) {
    case 0:
      return node.putRuleset(rules(round));
    case 1:
      return void (await inside.run("ip", "address", "add", "2001:db8::1/64", "dev", "eth0", "nodad"));
    case 2:
      return node.putRuleset(`${rules(round)}bogus\n`);
    case 3:
      return void (await inside.run("ip", "address", "del", "2001:db8::1/64", "dev", "eth0"));
    default:
      return void (await inside.run("nft", "flush", "ruleset"));
  }
}

try {
  await inside.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  await inside.run("ip", "link", "set", "eth0", "up");
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await event(events);
    events += 1;
    await wait(200);
    usages.push(node.usage());
  }
  const record = (await inside.host.stat("/run/guestos-boot/record.jsonl"))?.size ?? 0;
  const third = Math.floor(usages.length / 3);
  const middle = median(usages.slice(third, 2 * third));
  const last = median(usages.slice(2 * third));
  const repairs = (await node.output()).match(/nftables: repaired/g)?.length ?? 0;
  const text = ({ own, mapped, descriptors }: MonitorUsage): string =>
    `${(own / MIB).toFixed(1)} MiB of its own, ${(mapped / MIB).toFixed(1)} MiB of mapped files, ${descriptors} descriptors`;
  console.log(`${events} events, ${repairs} times repaired, in ${seconds} s`);
  console.log(`in the middle: ${text(middle)}`);
  console.log(`at the end:    ${text(last)}; record ${(record / 1024).toFixed(0)} KiB`);
  const peak = Math.max(...usages.map(({ own }) => own));
  console.log(`at most:       ${(peak / MIB).toFixed(1)} MiB of its own`);
  const grown = peak > OWN_LIMIT || last.own - middle.own > BREATH || last.descriptors > middle.descriptors || record > RECORD_LIMIT;
  console.log(grown ? "it has grown" : "it has not grown");
  process.exitCode = grown || repairs === 0 ? 1 : 0;
} finally {
  await node.stop();
}

/** Each by its median; of descriptors the fewest: those that it holds while no tool runs. */
function median(all: readonly MonitorUsage[]): MonitorUsage {
  const of = (pick: (usage: MonitorUsage) => number): number => all.map(pick).toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  return {
    own: of(({ own }) => own),
    mapped: of(({ mapped }) => mapped),
    descriptors: Math.min(...all.map(({ descriptors }) => descriptors)),
    cpu: of(({ cpu }) => cpu),
  };
}
