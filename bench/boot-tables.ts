import type { Boot, Kind, MeasuredBoot } from "./measured-boot.ts";
import { median } from "./median.ts";

/** All boots of one kind, of one chain, on one machine. */
export interface Row {
  readonly kind: Kind;
  readonly chain: string;
  readonly boots: readonly MeasuredBoot[];
}

interface Line {
  readonly title: string;
  readonly digits: number;
  /** guestos-boot's over the shell chain's: first boot, nothing to do. */
  readonly target?: readonly [number, number];
}

type Lines = Partial<Record<keyof Boot, Line>>;

const COSTS: Lines = {
  read: { title: "read from the disk, MiB", digits: 1, target: [1.3, 1.3] },
  written: { title: "written to the disk, MiB", digits: 1 },
  memory: { title: "peak of the slice, files included, MiB", digits: 0 },
  program: { title: "peak of the program, MiB", digits: 0 },
};

/** Of a machine whose clock counts instructions. */
export const COUNTED: Lines = {
  own: { title: "instructions of the chain's own processes, 10⁹", digits: 2, target: [0.75, 0.55] },
  busy: { title: "instructions from the kernel to the target, 10⁹", digits: 2 },
  toTarget: { title: "counted clock, kernel to target, s", digits: 2, target: [0.9, 0.75] },
  chain: { title: "counted clock, chain, s", digits: 2 },
  limit: { title: "counted clock, tools that the end waited for, s", digits: 2 },
  programs: { title: "programs started", digits: 0 },
  processes: { title: "processes", digits: 0 },
  pageFaults: { title: "page faults", digits: 0 },
  ...COSTS,
};

/** Of a machine with a clock as usual. @param targets for the time of the chain */
export function wallLines(targets: readonly [number, number]): Lines {
  return {
    chain: { title: "chain, s", digits: 1, target: targets },
    limit: { title: "tools that the end waited for, s", digits: 1 },
    toTarget: { title: "kernel to target, s", digits: 1 },
    own: { title: "processor, s", digits: 1 },
    ...COSTS,
  };
}

/** A table in Markdown: for each measure the medians of both chains with their ranges, the ratio, and the target where there is one. */
export function comparison(lines: Lines, kinds: readonly Kind[], rows: readonly Row[]): readonly string[] {
  const table = ["| | shell chain | guestos-boot | ratio | target |", "| --- | --- | --- | --- | --- |"];
  for (const [column, kind] of kinds.entries()) {
    const [shell, ours] = rows.filter((row) => row.kind === kind);
    if (shell === undefined || ours === undefined) continue;
    for (const [name, line] of Object.entries(lines) as readonly (readonly [keyof Boot, Line])[]) {
      const [theirs, mine] = [shell, ours].map(({ boots }) => boots.map(({ boot }) => boot[name]));
      const ratio = median(mine ?? []) / median(theirs ?? []);
      const cells = [`${kind}: ${line.title}`, ranged(theirs ?? [], line.digits), ranged(mine ?? [], line.digits)];
      cells.push(Number.isNaN(ratio) ? "" : ratio.toFixed(2), String(line.target?.[column] ?? ""));
      table.push(`| ${cells.join(" | ")} |`);
    }
  }
  return table;
}

function ranged(values: readonly number[], digits: number): string {
  if (values.some(Number.isNaN)) return "";
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return least === most ? `${middle}` : `${middle} (${least} to ${most})`;
}

/** Where the instructions of each chain went, the largest parts first, as medians: a table in Markdown for each kind of boot. */
export function profileTable(kind: Kind, rows: readonly Row[], most = 12): readonly string[] {
  const table = ["| | 10⁹ instructions | | 10⁹ instructions |", "| --- | --- | --- | --- |"];
  const [theirs = [], ours = []] = rows.filter((row) => row.kind === kind).map(({ boots }) => parts(boots).slice(0, most));
  for (let at = 0; at < Math.max(theirs.length, ours.length); at += 1)
    table.push(
      `| ${[theirs[at], ours[at]].map((part) => (part === undefined ? " | " : `${part[0]} | ${part[1].toFixed(3)}`)).join(" | ")} |`,
    );
  return table;
}

function parts(boots: readonly MeasuredBoot[]): readonly (readonly [string, number])[] {
  const all = boots.map(({ profile }) => ({
    idle: profile?.idle ?? Number.NaN,
    ...profile?.own,
    ...Object.fromEntries(Object.entries(profile?.others ?? {}).map(([name, value]) => [`(${name})`, value])),
  }));
  const names = new Set(all.flatMap((one) => Object.keys(one)));
  const medians = [...names].map((name) => [name, median(all.map((one): number => (one as Record<string, number>)[name] ?? 0))] as const);
  return medians.toSorted(([, left], [, right]) => right - left);
}
