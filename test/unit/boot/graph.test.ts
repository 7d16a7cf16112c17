import fc from "fast-check";
import { expect, test } from "vitest";
import { graphProblems, inOrder, predecessors, unitsWith, withDependents, withRequirements } from "../../../src/boot/graph.ts";
import { defineUnit, type Unit, type UnitDefinition } from "../../../src/boot/unit.ts";

type Shape = Partial<UnitDefinition<null>>;

function unit(name: string, shape: Shape = {}): Unit<null> {
  return defineUnit({ name, title: name, plan: async () => [], ...shape });
}

/** Units whose dependencies may point anywhere, also forward and in a circle: indices of what each requires and follows. */
function tangle(
  shapes: readonly { readonly requires?: readonly number[]; readonly after?: readonly number[]; readonly owns?: readonly string[] }[],
): Unit<null>[] {
  const lists = shapes.map(() => ({ requires: [] as Unit<null>[], after: [] as Unit<null>[] }));
  const units = shapes.map((shape, index) => unit(`u${index}`, { ...lists[index], owns: shape.owns ?? [] }));
  const pick = (indices: readonly number[] = []): Unit<null>[] => indices.flatMap((index) => units[index] ?? []);
  for (const [index, shape] of shapes.entries()) {
    lists[index]?.requires.push(...pick(shape.requires));
    lists[index]?.after.push(...pick(shape.after));
  }
  return units;
}

const whats = (units: readonly Unit<null>[]): readonly string[] => graphProblems(units).map(({ what }) => what);

test("a sound chain has no problems", () => {
  const first = unit("first", { owns: ["/a"] });
  const second = unit("second", { requires: [first], owns: ["/b"] });
  expect(graphProblems([first, second, unit("third", { after: [second], requires: [first] })])).toEqual([]);
});

test("a name that two units have is one problem", () => {
  expect(whats([unit("twin"), unit("other"), unit("twin")])).toEqual(["two units are named twin"]);
});

test("a requirement outside the chain is a problem, a unit to follow outside the chain is none", () => {
  const absent = unit("absent");
  expect(whats([unit("needs", { requires: [absent] }), unit("follows", { after: [absent] })])).toEqual([
    "needs requires absent, which is not part of the chain",
  ]);
});

test("a requirement is known by the unit itself and not by a name that happens to be the same", () => {
  const imposter = unit("store");
  expect(whats([unit("store"), unit("volumes", { requires: [imposter] })])).toEqual([
    "volumes requires store, which is not part of the chain",
  ]);
});

test("what waits for a unit is all that requires or follows it, directly or not, in whatever order it is written down", () => {
  const bus = unit("bus");
  const requires = unit("requires", { requires: [bus] });
  const follows = unit("follows", { after: [requires] });
  const before = unit("before");
  const units = [follows, before, requires, unit("apart", { requires: [before] }), bus];
  expect([...withDependents("bus", units)].map(({ name }) => name).toSorted()).toEqual(["bus", "follows", "requires"]);
  expect(withDependents("none", units)).toEqual(new Set());
});

test("a cycle is named from unit to unit, and what only hangs on it is not part of it", () => {
  expect(whats(tangle([{ requires: [1] }, { requires: [2] }, { after: [3] }, { requires: [1] }, { requires: [3] }, {}]))).toEqual([
    "units wait for each other: u1 → u2 → u3 → u1",
  ]);
});

test("a unit that waits for itself is a cycle", () => {
  expect(whats(tangle([{ after: [0] }]))).toEqual(["units wait for each other: u0 → u0"]);
});

test("two cycles are two problems, also where a unit of one waits for the other", () => {
  expect(whats(tangle([{ requires: [1, 3] }, { requires: [2] }, { requires: [1] }, { requires: [0] }]))).toEqual([
    "units wait for each other: u1 → u2 → u1",
    "units wait for each other: u0 → u3 → u0",
  ]);
});

test("a path that two units write is a problem that names both", () => {
  expect(whats([unit("one", { owns: ["/x", "/y"] }), unit("two", { owns: ["/y"] })])).toEqual(["one and two both write /y"]);
});

test("paths that overlap are a problem that names both: a pattern and what it matches, a folder and what is below it", () => {
  expect(
    whats([unit("one", { owns: ["/b/*.conf"] }), unit("two", { owns: ["/b/network.conf", "/c"] }), unit("three", { owns: ["/c/d"] })]),
  ).toEqual(["one writes /b/*.conf, and two writes /b/network.conf: these overlap", "two writes /c, and three writes /c/d: these overlap"]);
});

test("what is planted is found, and nothing else: duplicates, unknown requirements, cycles, shared paths", () => {
  const planted = fc.record({
    sound: fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { minLength: 1, maxLength: 100, size: "max" }),
    duplicates: fc.nat(3),
    unknown: fc.nat(3),
    cycles: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }),
    shared: fc.nat(3),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(planted, ({ sound, duplicates, unknown, cycles, shared, seed }) => {
      const units: Unit<null>[] = [];
      for (const [index, edges] of sound.entries()) {
        const before = index === 0 ? [] : edges.flatMap((edge) => units[edge % index] ?? []);
        units.push(unit(`sound${index}`, { requires: before.slice(0, 2), after: before.slice(2), owns: [`/sound/${index}`] }));
      }
      const any = units[seed % units.length];
      const requires = any === undefined ? [] : [any];
      for (let index = 0; index < duplicates; index++) units.push(unit(`twin${index}`), unit(`twin${index}`));
      for (let index = 0; index < unknown; index++) units.push(unit(`needy${index}`, { requires: [unit(`absent${index}`), ...requires] }));
      for (const [index, length] of cycles.entries()) {
        const members: Unit<null>[] = [];
        const closing: Unit<null>[] = [...requires];
        for (let step = 0; step < length; step++)
          members.push(unit(`cycle${index}-${step}`, { after: step === 0 ? closing : members.slice(-1) }));
        closing.push(...members.slice(-1));
        // Something behind each cycle, which also hangs on the cycle before: it belongs to neither.
        units.push(
          ...members,
          unit(`behind${index}`, { requires: members.slice(0, 1), after: units.filter(({ name }) => name === `cycle${index - 1}-0`) }),
        );
      }
      for (let index = 0; index < shared; index++)
        units.push(unit(`left${index}`, { owns: [`/shared/${index}`] }), unit(`right${index}`, { owns: [`/shared/${index}`] }));
      const found = whats(shuffle(units, seed));
      const count = (pattern: RegExp): number => found.filter((what) => pattern.test(what)).length;
      expect(count(/^two units are named twin\d$/)).toBe(duplicates);
      expect(count(/^needy\d requires absent\d, which is not part/)).toBe(unknown);
      expect(count(/^(left|right)\d and (left|right)\d both write \/shared\/\d$/)).toBe(shared);
      const circles = found.flatMap((what) => /^units wait for each other: (.*)$/.exec(what)?.[1]?.split(" → ") ?? []);
      expect(new Set(circles)).toEqual(
        new Set(cycles.flatMap((length, index) => Array.from({ length }, (_, step) => `cycle${index}-${step}`))),
      );
      expect(count(/^units wait/)).toBe(cycles.length);
      expect(found.length).toBe(duplicates + unknown + shared + cycles.length);
    }),
  );
});

test("any graph at all: what is called a cycle is one, no two share a unit, and without them the graph can be ordered", () => {
  const anywhere = fc.array(
    fc.record({ requires: fc.array(fc.nat(39), { maxLength: 2 }), after: fc.array(fc.nat(39), { maxLength: 1 }) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(anywhere, (shapes) => {
      const units = tangle(shapes);
      const byName = new Map(units.map((each) => [each.name, each]));
      const seen = new Set<string>();
      for (const what of whats(units)) {
        const names = what.replace("units wait for each other: ", "").split(" → ");
        expect(names[0]).toBe(names.at(-1));
        for (const [index, name] of names.slice(0, -1).entries()) {
          const waiting = byName.get(name);
          expect(waiting !== undefined && predecessors(waiting).map((each) => each.name)).toContain(names[index + 1]);
          expect(seen.has(name)).toBe(false);
          seen.add(name);
        }
      }
      const rest = new Set(units.filter(({ name }) => !seen.has(name)));
      expectValidOrder(inOrder([...rest]), rest);
      expect(inOrder(units).length, "also a graph with cycles gives an order, of all").toBe(units.length);
    }),
  );
});

test("the order is a valid one, and one that is valid already stays as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(199), { maxLength: 5 }), { maxLength: 200, size: "max" }), fc.nat(), (edges, seed) => {
      const units: Unit<null>[] = [];
      for (const [index, before] of edges.entries()) {
        const chosen = index === 0 ? [] : before.flatMap((edge) => units[edge % index] ?? []);
        units.push(unit(`u${index}`, { requires: chosen.slice(0, 3), after: chosen.slice(3) }));
      }
      expect(inOrder(units)).toEqual(units);
      expectValidOrder(inOrder(shuffle(units, seed)), new Set(units));
    }),
  );
});

test("a chain of a hundred thousand units given backwards is ordered", { timeout: 60_000 }, () => {
  const units: Unit<null>[] = [];
  for (let index = 0; index < 100_000; index++) units.push(unit(`u${index}`, { requires: units.slice(-1) }));
  expect(inOrder(units.toReversed())[0]?.name).toBe("u0");
  expect(graphProblems(units.toReversed())).toEqual([]);
});

test("a unit is selected with all that it requires, in chain order, and without what it only follows", () => {
  const a = unit("a");
  const b = unit("b", { requires: [a] });
  const c = unit("c");
  const d = unit("d", { requires: [b], after: [c] });
  expect(withRequirements([d, b], [a, c, b, d]).map(({ name }) => name)).toEqual(["a", "b", "d"]);
});

function expectValidOrder(ordered: readonly Unit<null>[], units: ReadonlySet<Unit<null>>): void {
  expect(new Set(ordered)).toEqual(units);
  expect(ordered.length).toBe(units.size);
  const placed = new Set<Unit<null>>();
  for (const each of ordered) {
    expect(predecessors(each).every((predecessor) => placed.has(predecessor) || !units.has(predecessor))).toBe(true);
    placed.add(each);
  }
}

function shuffle<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  return items
    .map((item) => ({ item, key: (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) }))
    .toSorted((left, right) => left.key - right.key)
    .map(({ item }) => item);
}

test("units with others in the place of some depend on those, on nothing where none is in the place, and on what is named besides", () => {
  const [file, medium, type] = [unit("file"), unit("medium"), unit("type")];
  const name = unit("name", { requires: [medium], after: [type] });
  const last = unit("last", { requires: [name, type] });
  const made = unitsWith(
    [file, name, last],
    new Map([
      [medium, [file]],
      [type, []],
    ]),
    new Map([[last, [file]]]),
  );
  expect(made.map((one) => [one.name, one.requires, one.after])).toEqual([
    ["file", [], []],
    ["name", [made[0]], []],
    ["last", [made[1], made[0]], []],
  ]);
  expect(made[1]?.requires[0]).toBe(made[0]);
  expect(graphProblems(made)).toEqual([]);
});
