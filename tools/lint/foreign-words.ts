import type { Context, Node } from "./rule.ts";

/**
 * The rule `guestos/foreign-words`, for oxlint (oxlint.config.ts): what an error of Node, a library or a tool says may hold a secret, or
 * what moves a terminal's cursor. It is passed on through `foreignWords` or `foreignText` alone.
 */
const THROWN = /^(?:error|reason|cause|thrown|failure)$/;
const MESSAGE = "What an error says is passed on through foreignWords or foreignText (src/base/foreign-words.ts).";

/** Whether it is given to one of those, or to an error that is passed on in turn. */
function isGuarded(node: Node | null | undefined): boolean {
  if (node === null || node === undefined) return false;
  if (node.type === "CallExpression" && /^foreign(?:Text|Words)$/.test(node.callee?.name ?? "")) return true;
  if (node.type === "NewExpression" && node.callee?.name === "Error") return true;
  return isGuarded(node.parent);
}

export function foreignWords(context: Context): object {
  const check = (node: Node, thrown: Node | undefined): void => {
    if (THROWN.test(thrown?.name ?? "") && !isGuarded(node)) context.report({ node, message: MESSAGE });
  };
  return {
    MemberExpression: (node: Node) => {
      if (/^(?:message|stack)$/.test(node.property?.name ?? "")) check(node, node.object);
    },
    CallExpression: (node: Node) => {
      if (node.callee?.name === "String") check(node, node.arguments?.[0]);
    },
  };
}
