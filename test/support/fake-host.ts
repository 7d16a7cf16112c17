import { commandText, type Command, type Completed, CommandError } from "../../src/system/command.ts";
import type { FileAttributes, FileFacts, Host, Space } from "../../src/system/host.ts";

export interface FakeMachine {
  /** Text or bytes by path; a folder is there when something is below it. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly links?: Readonly<Record<string, string>>;
  /** Mode and owner by path, where they are not the usual: files 0600, folders 0755, all of root. */
  readonly attributes?: Readonly<Record<string, Partial<FileAttributes>>>;
  /** How full file systems are, by mount point. */
  readonly spaces?: Readonly<Record<string, Space>>;
  /** What each tool run answers, by its command line: text on standard output, a whole result, or a failure status. */
  readonly commands?: Readonly<Record<string, string | Partial<Completed>>>;
}

export interface FakeHost extends Host {
  /** Every effect in order: "run …", "write …", "make …", "remove …", "rename …", "set …". */
  readonly effects: string[];
  readonly files: Map<string, string | Uint8Array>;
}

/** A machine in memory, for planning logic only. Throws on any tool run that the test did not plan. */
export function fakeHost(machine: FakeMachine = {}): FakeHost {
  const files = new Map(Object.entries(machine.files ?? {}));
  const links = new Map(Object.entries(machine.links ?? {}));
  const effects: string[] = [];
  const attributes = new Map(Object.entries(machine.attributes ?? {}));
  const facts = (path: string, kind: FileFacts["kind"], mode: number, size: number): FileFacts => ({
    ...{ kind, mode, uid: 0, gid: 0, size },
    ...attributes.get(path),
  });
  const bytes = (path: string): Uint8Array | undefined => {
    const content = files.get(path);
    return typeof content === "string" ? Buffer.from(content) : content;
  };
  const below = (path: string): string[] => [...files.keys(), ...links.keys()].filter((name) => name.startsWith(`${path}/`));
  const write = (verb: string, path: string, content: string | Uint8Array): void => {
    effects.push(`${verb} ${path}`);
    files.set(path, content);
  };
  return {
    signal: new AbortController().signal,
    effects,
    files,
    async run(command: Command) {
      const text = commandText(command);
      const answer = machine.commands?.[text];
      if (answer === undefined) throw new Error(`the test did not plan this tool run: ${text}`);
      effects.push(`run ${text}`);
      const completed = { status: 0, stdout: "", stderr: "", ...(typeof answer === "string" ? { stdout: answer } : answer) };
      if (!(command.okStatuses ?? [0]).includes(completed.status)) {
        throw new CommandError(command, { kind: "exited", status: completed.status }, completed.stderr);
      }
      return completed;
    },
    async readText(path) {
      const content = bytes(path);
      return content === undefined ? undefined : Buffer.from(content).toString();
    },
    readBytes: async (path) => bytes(path),
    readAt: async (path, offset, length) => bytes(path)?.subarray(offset, offset + length),
    async list(path) {
      const names = below(path).map((name) => name.slice(path.length + 1).split("/")[0] ?? "");
      return names.length === 0 ? undefined : [...new Set(names)].toSorted();
    },
    readLink: async (path) => links.get(path),
    async stat(path) {
      const content = bytes(path);
      if (content !== undefined) return facts(path, "file", 0o600, content.length);
      if (links.has(path)) return facts(path, "link", 0o777, 0);
      return below(path).length > 0 ? facts(path, "folder", 0o755, 0) : undefined;
    },
    async space(path) {
      const space = machine.spaces?.[path];
      if (space === undefined) throw new Error(`the test did not plan how full this is: ${path}`);
      return space;
    },
    async writeFile(path, content, given) {
      attributes.set(path, given);
      write(`write ${given.mode.toString(8)}`, path, content);
    },
    async writeStream(path, source, attributes) {
      if (files.has(path)) throw new Error(`there is a file already: ${path}`);
      const chunks = await Array.fromAsync(source);
      write(`write ${attributes.mode.toString(8)}`, path, Buffer.concat(chunks));
    },
    writeInPlace: async (path, content) => write("overwrite", path, content),
    async makeFolder(path, given) {
      attributes.set(path, given);
      effects.push(`make ${path}`);
    },
    async remove(path) {
      effects.push(`remove ${path}`);
      for (const name of [path, ...below(path)]) {
        files.delete(name);
        attributes.delete(name);
      }
    },
    async rename(from, to) {
      effects.push(`rename ${from} ${to}`);
      for (const name of [from, ...below(from)]) {
        const content = files.get(name);
        const moved = attributes.get(name);
        files.delete(name);
        attributes.delete(name);
        if (content !== undefined) files.set(to + name.slice(from.length), content);
        if (moved !== undefined) attributes.set(to + name.slice(from.length), moved);
      }
    },
    async setAttributes(path, given) {
      attributes.set(path, given);
      effects.push(`set ${path}`);
    },
    now: () => Date.now(),
  };
}
