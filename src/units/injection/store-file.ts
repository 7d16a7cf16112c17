import { configTarget } from "../../medium/medium-contents.ts";
import type { Machine } from "../machine.ts";

/** Writes a file of the medium to its place on the config partition. */
export async function storeFile(
  { host, layout }: Pick<Machine, "host" | "layout">,
  name: string,
  content: Uint8Array,
  mode: number,
): Promise<void> {
  if (name.includes("/")) await host.makeFolder(layout.config.accountKeys, { mode: 0o755, uid: 0, gid: 0 });
  await host.writeFile(configTarget(layout, name), content, { mode, uid: 0, gid: 0 });
}
