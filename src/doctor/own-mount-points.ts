import type { Layout } from "../config/layout/layout.ts";
import type { CheckedNode } from "./check.ts";

type Name = keyof Layout["mountPoints"];

const NAMES = ["boot", "efi", "grub", "config", "var", "data", "crypto", "backup"] as const satisfies readonly Name[];

/** The units that mount what not every profile has. mount-boot mounts the rest, on every node. */
const MOUNTED_BY: Readonly<Partial<Record<Name, string>>> = {
  var: "var",
  data: "volume-mounts",
  crypto: "volume-mounts",
  backup: "volume-mounts",
};

/** Names of the mount points of a node with that chain. */
export function ownMountPoints({ chain }: Pick<CheckedNode, "chain">): readonly Name[] {
  const units = new Set(chain.map(({ name }) => name));
  return NAMES.filter((name) => {
    const unit = MOUNTED_BY[name];
    return unit === undefined || units.has(unit);
  });
}
