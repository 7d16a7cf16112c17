/** What the rules of this folder see of oxlint's syntax tree, which is that of ESTree. */
export interface Node {
  readonly type: string;
  readonly parent?: Node | null;
  readonly value?: unknown;
  readonly key?: Node | null;
  readonly name?: string;
  readonly id?: Node | null;
  /** Of a template: its text, piece by piece. */
  readonly quasis?: readonly Node[];
  /** Of `object.property`. */
  readonly object?: Node;
  readonly property?: Node;
  /** Of a call. */
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
}

export interface Context {
  readonly report: (found: { readonly node: Node; readonly message: string }) => void;
}
