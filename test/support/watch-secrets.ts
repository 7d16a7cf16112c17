import childProcess, { ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Readable } from "node:stream";
import { afterAll, afterEach, expect, vi } from "vitest";
import { canaryOfProgram, ran, runsSearched, shown, takeFound } from "./canaries.ts";

/**
 * Set up for each file of tests with real tools: no secret shows up in a problem, in a file that others can read, in arguments or environment
 * of a tool, or in what the program prints. (What a plan is recorded to have seen, and its notes: run-unit.ts.)
 */

vi.mock(import("../../src/base/secret.ts"), async (original) => {
  const module = await original();
  return {
    ...module,
    Secret: class Secret extends module.Secret {
      constructor(...given: ConstructorParameters<typeof module.Secret>) {
        super(...given);
        canaryOfProgram(given[0]);
      }
    },
  };
});

vi.mock(import("../../src/base/problem.ts"), async (original) => {
  const module = await original();
  return {
    ...module,
    ProblemError: class ProblemError extends module.ProblemError {
      constructor(...given: ConstructorParameters<typeof module.ProblemError>) {
        super(...given);
        shown(`the problem ${this.problem.code}`, () => `${JSON.stringify(this.problem)}\n${this.message}`);
      }
    },
  };
});

/** What others may do to a file, and a group: the program gives files to groups that read them. */
const OTHERS = 0o007;

vi.mock(import("../../src/system/host.ts"), async (original) => {
  const module = await original();
  return {
    ...module,
    systemHost: (...options) => {
      const host = module.systemHost(...options);
      return {
        ...host,
        writeFile: async (path, content, attributes) => {
          if ((attributes.mode & OTHERS) !== 0) shown(path, content);
          return host.writeFile(path, content, attributes);
        },
        writeStream: async (path, source, attributes) =>
          host.writeStream(path, (attributes.mode & OTHERS) === 0 ? source : watched(path, source), attributes),
        setAttributes: async (path, attributes) => {
          if ((attributes.mode & OTHERS) !== 0 && (await host.stat(path))?.kind === "file") shown(path, (await host.readBytes(path)) ?? "");
          return host.setAttributes(path, attributes);
        },
      };
    },
  };
});

async function* watched(path: string, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    shown(path, chunk);
    yield chunk;
  }
}

/** Sources that are the program, or run it. */
const PROGRAM = /\/(?:src\/cli\/main|test\/support\/fixture-cli|test\/crash\/effects\/program)\.ts(?:$| )/;

/** The place of a finding, by the arguments of the program. */
function printedBy(args: readonly string[]): string {
  return `what ${args.slice(args.findIndex((arg) => PROGRAM.test(arg)) + 1).join(" ")} printed`;
}

interface Started {
  readonly file: string;
  readonly args?: readonly string[];
  readonly envPairs?: readonly string[];
}

// Of all that is started, by the program in this process and by tests.
const start = Reflect.get(ChildProcess.prototype, "spawn") as (this: ChildProcess, started: Started) => unknown;
Reflect.set(ChildProcess.prototype, "spawn", function spawn(this: ChildProcess, started: Started) {
  const { file, args = [], envPairs = [] } = started;
  const result = start.call(this, started);
  if (!args.some((arg) => PROGRAM.test(arg))) {
    shown(`arguments or environment of ${file}`, [...args, ...envPairs].join("\0"));
    return result;
  }
  const place = printedBy(args);
  for (const stream of [this.stdout, this.stderr]) if (stream !== null) tap(stream, (chunk) => shown(place, chunk));
  this.once("close", ran);
  return result;
});

const { spawnSync } = childProcess;
Reflect.set(childProcess, "spawnSync", (...given: Parameters<typeof spawnSync>) => {
  const ended = spawnSync(...given);
  const [, args] = given;
  if (!isWords(args) || !args.some((arg) => PROGRAM.test(arg))) return ended;
  for (const printed of [ended.stdout, ended.stderr]) if (printed !== null) shown(printedBy(args), printed);
  ran();
  return ended;
});
syncBuiltinESMExports();

function isWords(args: unknown): args is readonly string[] {
  return Array.isArray(args) && args.every((arg) => typeof arg === "string");
}

/** Sees what comes without reading it: the test does that, or no one. */
function tap(stream: Readable, saw: (chunk: Uint8Array) => void): void {
  const push = stream.push.bind(stream);
  let before: Uint8Array = Buffer.alloc(0);
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) {
      // A secret may be cut in two.
      const both = Buffer.concat([before, chunk]);
      saw(both);
      before = both.subarray(-LONGEST);
    }
    return push(chunk, encoding);
  };
}

const LONGEST = 8192;

afterEach(() => {
  const found = takeFound();
  if (found.length > 0) throw new Error(`secrets can be seen: ${found.join("; ")}`);
});

const COUNTS = "build/test-results";

afterAll(() => {
  mkdirSync(COUNTS, { recursive: true });
  appendFileSync(`${COUNTS}/searched-for-secrets.txt`, `${runsSearched()} ${expect.getState().testPath}\n`);
});
