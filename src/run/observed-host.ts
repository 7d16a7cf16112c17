import { isSea } from "node:sea";
import type { Access } from "../boot/races.ts";
import type { Host } from "../system/host.ts";

/** A stack costs memory, and names no source in a program whose sources are bundled. */
const FROM_SOURCES = !isSea();

/** A host that tells which paths are read and written through it; each once for each kind. */
export function observedHost(host: Host, unit: string, tell: (access: Access) => void): Host {
  const told = new Set<string>();
  const saw = (kind: Access["kind"], path: string): void => {
    const key = `${kind} ${path}`;
    if (told.has(key)) return;
    told.add(key);
    const place = FROM_SOURCES ? placeInUnits(new Error("where").stack ?? "") : undefined;
    tell({ unit, kind, path, ...(place === undefined ? {} : { place }) });
  };
  return {
    ...host,
    readText: async (path) => (saw("read", path), host.readText(path)),
    readBytes: async (path) => (saw("read", path), host.readBytes(path)),
    readAt: async (path, ...rest) => (saw("read", path), host.readAt(path, ...rest)),
    list: async (path) => (saw("list", path), host.list(path)),
    readLink: async (path) => (saw("read", path), host.readLink(path)),
    stat: async (path) => (saw("read", path), host.stat(path)),
    writeFile: async (path, ...rest) => (saw("write", path), host.writeFile(path, ...rest)),
    writeStream: async (path, ...rest) => (saw("write", path), host.writeStream(path, ...rest)),
    writeInPlace: async (path, ...rest) => (saw("write", path), host.writeInPlace(path, ...rest)),
    makeFolder: async (path, attributes) => (saw("make", path), host.makeFolder(path, attributes)),
    remove: async (path) => (saw("write", path), host.remove(path)),
    rename: async (from, to) => (saw("write", from), saw("write", to), host.rename(from, to)),
    setAttributes: async (path, attributes) => (saw("make", path), host.setAttributes(path, attributes)),
  };
}

/** The first line of a unit's source on the stack. */
function placeInUnits(stack: string): string | undefined {
  return /\/(src\/units\/[\w/-]+\.ts:\d+):\d+/.exec(stack)?.[1];
}
