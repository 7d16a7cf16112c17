import type { Context, Node } from "./rule.ts";

/**
 * The rule `guestos/no-absolute-path`, for oxlint (oxlint.config.ts): a unit takes every path from the layout, which tests and
 * configuration move; a path of its own would be that of whatever machine the unit runs on, a developer's included.
 *
 * Not meant are what a unit says it owns or awaits, which no one opens, and devices, whose names are the kernel's (/dev/vda4).
 */
const ABSOLUTE = /^\/(?!dev\/)[\w.]/;
const MESSAGE =
  "A unit has no path of its own: take it from the layout (src/config/layout/layout.ts), or from a file of src/system if it is the kernel's.";

const DECLARATIONS: ReadonlySet<string> = new Set(["owns", "awaits"]);

/** Whether it is in what is called `owns` or `awaits`: a property, or a constant that becomes one. */
function isOwned(node: Node | null | undefined): boolean {
  if (node === null || node === undefined) return false;
  return DECLARATIONS.has((node.key ?? node.id)?.name ?? "") || isOwned(node.parent);
}

export function pathsOfUnits(context: Context): object {
  const check = (node: Node, text: unknown): void => {
    if (typeof text === "string" && ABSOLUTE.test(text) && !isOwned(node)) context.report({ node, message: MESSAGE });
  };
  return {
    Literal: (node: Node) => check(node, node.value),
    // A piece behind a value goes on with that.
    TemplateElement: (node: Node) => {
      if (node.parent?.quasis?.[0] === node) check(node, (node.value as { readonly cooked: unknown }).cooked);
    },
  };
}
