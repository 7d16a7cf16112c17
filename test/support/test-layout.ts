import { join } from "node:path";
import { guestosLayout, type Layout } from "../../src/config/layout/layout.ts";

/** A layout with every path moved below `root`: "/boot/config/ssh" is `${root}/boot/config/ssh`. A GuestOS's when none is named. */
export function testLayout(root: string, layout: Layout = guestosLayout): Layout {
  return moved(layout, root);
}

function moved<T>(value: T, root: string): T;
function moved(value: unknown, root: string): unknown {
  if (typeof value === "string") return value.startsWith("/") ? join(root, value) : value;
  if (Array.isArray(value)) return value.map((item: unknown) => moved(item, root));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, moved(item, root)]));
}
