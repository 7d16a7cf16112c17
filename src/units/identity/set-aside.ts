import type { FileAttributes, Host } from "../../system/host.ts";

/** Moves a file that cannot be used out of the way. @returns its new path */
export async function setAside(host: Host, file: string): Promise<string> {
  const aside = await freeName(host, file);
  await host.rename(file, aside);
  return aside;
}

/** The same by a copy, for a file that is about to be replaced, so that the file exists at every moment. @returns the path of the copy */
export async function keepAside(host: Host, file: string, attributes: FileAttributes): Promise<string> {
  const content = (await host.readBytes(file)) ?? new Uint8Array();
  const aside = await freeName(host, file, content);
  await host.writeFile(aside, content, attributes);
  return aside;
}

/** A name that is free, or that of a file with the same content: a file that was set aside is never overwritten. */
async function freeName(host: Host, file: string, content?: Uint8Array): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? `${file}.unusable` : `${file}.unusable-${count}`;
    const facts = await host.stat(name);
    if (facts === undefined) return name;
    const present = content === undefined || facts.kind !== "file" ? undefined : await host.readBytes(name);
    if (content !== undefined && present !== undefined && Buffer.from(present).equals(content)) return name;
  }
}
