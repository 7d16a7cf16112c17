import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import { parseToolJson, toolText } from "../tool-json.ts";

/** A processor in its socket. */
export interface Socket {
  /** As its maker calls it: "AMD EPYC 7302 16-Core Processor". */
  readonly product: string;
  /** Flags as in /proc/cpuinfo. */
  readonly capabilities: ReadonlySet<string>;
}

export interface Processors {
  readonly sockets: readonly Socket[];
  /** What said it. */
  readonly source: "lshw" | "/proc/cpuinfo";
}

export interface Memory {
  readonly bytes: number;
  /** The kernel counts only what the firmware leaves to it: there is at least so much. */
  readonly isLeast: boolean;
  readonly source: "lshw" | "/proc/meminfo";
}

const Node = z.object({
  id: toolText,
  class: toolText,
  disabled: z.optional(z.unknown()),
  description: toolText,
  product: toolText,
  version: toolText,
  size: z.optional(z.unknown()),
  businfo: toolText,
  capabilities: z.optional(z.unknown()),
  children: z.optional(z.unknown()),
});
type Node = z.infer<typeof Node>;

export interface Lshw {
  readonly sockets: readonly Socket[];
  /** Bytes. `undefined` where no bank tells its size. */
  readonly memory: number | undefined;
}

/**
 * Asks lshw for processors and memory. It reads tables of the firmware, and changes nothing.
 *
 * @throws CommandError, or ProblemError for output that is not known
 */
export async function readLshw(host: Host): Promise<Lshw> {
  const { stdout } = await host.run({
    program: "lshw",
    args: ["-json", "-quiet", "-class", "processor", "-class", "memory"],
    timeout: LSHW_TIME,
    todo: "install it: apt install lshw",
  });
  return lshwIn(stdout);
}

/** Milliseconds. It probes every bus. */
const LSHW_TIME = 60_000;

/**
 * The same, from its output: an object, an array of them, or (before B.02.19) objects with commas between them and nothing around.
 *
 * @throws ProblemError when it is nothing of that, or names no processor: a machine has one
 */
function lshwIn(output: string): Lshw {
  const text = output.trim();
  const nodes = [...flat(parseToolJson("lshw", text.startsWith("{") ? `[${text.replace(/,$/, "")}]` : text, z.array(z.unknown())), 0)];
  const sockets = new Map<string, Socket>();
  let memory: number | undefined;
  for (const [at, node] of nodes.entries()) {
    // An empty socket is listed, too.
    if (node.class === "processor" && node.disabled !== true && node.product !== undefined)
      sockets.set(node.businfo ?? `${node.id}.${at}`, { product: node.product, capabilities: capabilitiesOf(node) });
    if (isMemory(node) && typeof node.size === "number" && node.size > 0) memory = (memory ?? 0) + node.size;
  }
  if (sockets.size > 0) return { sockets: [...sockets.values()], memory };
  throw new ProblemError({ code: "processors-not-known", what: "lshw names no processor", expected: "at least one" });
}

/** So deep are its documents at most; a hostile one could be deeper. */
const DEEPEST = 20;

function* flat(values: readonly unknown[], depth: number): Generator<Node> {
  for (const value of values) {
    const { success, data } = Node.safeParse(value);
    if (!success) continue;
    yield data;
    if (Array.isArray(data.children) && depth < DEEPEST) yield* flat(data.children, depth + 1);
  }
}

/** The machine's memory: not a cache, and not the flash of the firmware. */
function isMemory({ id, class: kind, description }: Node): boolean {
  return kind === "memory" && /^memory(?::\d+)?$/.test(id ?? "") && (description === undefined || /system memory/i.test(description));
}

function capabilitiesOf({ capabilities }: Node): ReadonlySet<string> {
  return new Set(typeof capabilities === "object" && capabilities !== null ? Object.keys(capabilities) : []);
}

/** What the kernel itself says of the processors: for where lshw does not. */
export function socketsIn(cpuinfo: string): readonly Socket[] {
  const sockets = new Map<string, Socket>();
  for (const block of cpuinfo.split(/\n\n+/)) {
    const fields = new Map(block.split("\n").map((line) => [line.split(":")[0]?.trim() ?? "", line.slice(line.indexOf(":") + 1).trim()]));
    const product = fields.get("model name");
    if (product === undefined) continue;
    sockets.set(fields.get("physical id") ?? "0", { product, capabilities: new Set((fields.get("flags") ?? "").split(/\s+/)) });
  }
  return [...sockets.values()];
}

/** The number of processors that the kernel schedules: threads of all cores. */
export function threadsIn(cpuinfo: string): number {
  return cpuinfo.split("\n").filter((line) => /^processor\s*:/.test(line)).length;
}

/** Bytes of memory that the kernel has; `undefined` where it does not say. */
export function memoryIn(meminfo: string): number | undefined {
  const kibibytes = /^MemTotal:\s+(\d{1,12}) kB$/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
