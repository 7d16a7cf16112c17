/** A node of a graph without cycles, with the names of the nodes that come before it. */
export interface LayoutNode {
  readonly name: string;
  readonly before: readonly string[];
}

/** A node's column, and its row in it. Rows need not be whole numbers. */
export interface Place {
  readonly column: number;
  readonly row: number;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** One place for each column that it crosses, between its ends. */
  readonly via: readonly Place[];
}

export interface GraphLayout {
  readonly places: ReadonlyMap<string, Place>;
  /** Edges that follow from others are left out: of a → b → c and a → c, the last one. */
  readonly edges: readonly Edge[];
  readonly columns: number;
  readonly rows: number;
}

interface Cell {
  readonly id: string;
  readonly column: number;
  readonly isNode: boolean;
  readonly left: Cell[];
  readonly right: Cell[];
  row: number;
}

/**
 * Lays a graph out in columns from left to right, each node behind all its predecessors, with few crossings (Sugiyama's method: columns by
 * the longest path, long edges through cells of their own, rows by the mean of the neighbours).
 *
 * @param nodes in an order in which predecessors come first; names that are not among them are ignored
 */
export function graphLayout(nodes: readonly LayoutNode[]): GraphLayout {
  const column = new Map<string, number>();
  for (const { name, before } of nodes) column.set(name, 1 + Math.max(-1, ...before.map((first) => column.get(first) ?? -1)));
  const columns: Cell[][] = [];
  const add = (id: string, at: number, isNode: boolean): Cell => {
    const cells = (columns[at] ??= []);
    const cell: Cell = { id, column: at, isNode, left: [], right: [], row: cells.length };
    cells.push(cell);
    return cell;
  };
  const cells = new Map(nodes.map(({ name }) => [name, add(name, column.get(name) ?? 0, true)]));
  const join = (one: Cell, other: Cell): void => {
    one.right.push(other);
    other.left.push(one);
  };
  const paths = reduced(nodes).map(([from, to]) => {
    const start = cells.get(from);
    const end = cells.get(to);
    const via: Cell[] = [];
    if (start === undefined || end === undefined) return { from, to, via };
    let last = start;
    for (let at = start.column + 1; at < end.column; at++) {
      const cell = add(`${from} ${to}`, at, false);
      via.push(cell);
      join(last, cell);
      last = cell;
    }
    join(last, end);
    return { from, to, via };
  });
  order(columns);
  spread(columns);
  const all = columns.flat();
  const top = Math.min(0, ...all.map(({ row }) => row));
  for (const cell of all) cell.row -= top;
  return {
    places: new Map([...cells].map(([name, cell]) => [name, place(cell)])),
    edges: paths.map(({ from, to, via }) => ({ from, to, via: via.map(place) })),
    columns: columns.length,
    rows: 1 + Math.max(0, ...all.map(({ row }) => row)),
  };
}

function place({ column, row }: Cell): Place {
  return { column, row };
}

/** The edges that do not follow from others. */
function reduced(nodes: readonly LayoutNode[]): readonly (readonly [string, string])[] {
  const earlier = new Map<string, ReadonlySet<string>>();
  return nodes.flatMap(({ name, before }) => {
    const known = [...new Set(before)].filter((first) => earlier.has(first));
    const implied = new Set(known.flatMap((first) => [...(earlier.get(first) ?? [])]));
    earlier.set(name, new Set([...implied, ...known]));
    return known.filter((first) => !implied.has(first)).map((first) => [first, name] as const);
  });
}

/** More sweeps make no visible difference. */
const SWEEPS = 12;

/** Goes through the columns back and forth. @param act gets a column, and for each of its cells the mean row of its neighbours */
function sweep(columns: readonly Cell[][], act: (cells: Cell[], wanted: ReadonlyMap<Cell, number>) => void): void {
  for (let time = 0; time < SWEEPS; time++) {
    const forth = time % 2 === 0;
    for (const cells of forth ? columns : columns.toReversed())
      act(cells, new Map(cells.map((cell) => [cell, mean(forth ? cell.left : cell.right) ?? cell.row])));
  }
}

/** Sorts each column by the mean row of its neighbours. */
function order(columns: readonly Cell[][]): void {
  sweep(columns, (cells, wanted) => {
    cells.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0));
    for (const [row, cell] of cells.entries()) cell.row = row;
  });
}

/** Moves cells towards the mean of their neighbours, as far as the order of their column and a distance of one row allow. */
function spread(columns: readonly Cell[][]): void {
  const tallest = Math.max(...columns.map((cells) => cells.length), 1);
  for (const cells of columns) for (const cell of cells) cell.row += (tallest - cells.length) / 2;
  sweep(columns, (cells, wanted) => settle(cells, [...wanted.values()]));
}

/**
 * Finds the rows nearest to the wanted ones that are at least one apart: blocks of neighbours that push each other share the difference.
 */
function settle(cells: readonly Cell[], wanted: readonly number[]): void {
  const blocks: { sum: number; count: number; first: number }[] = [];
  for (const [index, want] of wanted.entries()) {
    blocks.push({ sum: want - index, count: 1, first: index });
    for (;;) {
      const last = blocks.at(-1);
      const before = blocks.at(-2);
      if (last === undefined || before === undefined || before.sum / before.count <= last.sum / last.count) break;
      blocks.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count, first: before.first });
    }
  }
  for (const { sum, count, first } of blocks) {
    for (const [index, cell] of cells.slice(first, first + count).entries()) cell.row = sum / count + first + index;
  }
}

function mean(cells: readonly Cell[]): number | undefined {
  return cells.length === 0 ? undefined : cells.reduce((sum, { row }) => sum + row, 0) / cells.length;
}
