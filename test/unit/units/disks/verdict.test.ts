import { expect, test } from "vitest";
import type { Intent } from "../../../../src/config/state/intent.ts";
import type { Content } from "../../../../src/system/disks/signature.ts";
import { verdict } from "../../../../src/units/disks/verdict.ts";

const ours = "11111111-2222-3333-4444-555555555555";
const other = "99999999-2222-3333-4444-555555555555";

const intents = { none: undefined, begun: intent("begun"), complete: intent("complete") } as const;
const contents = {
  blank: { kind: "blank" },
  ours: { kind: "found", type: "xfs", uuid: ours },
  "same type, other UUID": { kind: "found", type: "xfs", uuid: other },
  "other type, our UUID": { kind: "found", type: "ext4", uuid: ours },
  "unknown data": { kind: "unknown" },
} as const satisfies Record<string, Content>;

/** The table of ARCHITECTURE.md: every cell, written out. */
const table = {
  none: {
    blank: "make",
    ours: "conflict",
    "same type, other UUID": "conflict",
    "other type, our UUID": "conflict",
    "unknown data": "conflict",
  },
  begun: {
    blank: "make",
    ours: "finish",
    "same type, other UUID": "conflict",
    "other type, our UUID": "conflict",
    "unknown data": "conflict",
  },
  complete: {
    blank: "conflict",
    ours: "keep",
    "same type, other UUID": "conflict",
    "other type, our UUID": "conflict",
    "unknown data": "conflict",
  },
} as const;

for (const [phase, row] of Object.entries(table)) {
  for (const [content, answer] of Object.entries(row)) {
    test(`with intent ${phase} and ${content} the answer is ${answer}`, () => {
      const found = verdict({
        place: "a place",
        intent: intents[phase as keyof typeof intents],
        content: contents[content as keyof typeof contents],
        type: "xfs",
      });
      expect(found.kind).toBe(answer);
    });
  }
}

test.each([
  ["none", "conflict"],
  ["begun", "make"],
  ["complete", "conflict"],
] as const)(
  "with intent %s, what an encryption that was cut off leaves gets the answer %s; and nothing but LUKS is made over it",
  (phase, answer) => {
    const evidence = { place: "a place", intent: intents[phase], content: { kind: "cut-off-format" } } as const;
    expect(verdict({ ...evidence, type: "crypto_LUKS" }).kind).toBe(answer);
    expect(verdict({ ...evidence, type: "xfs" }).kind).toBe("conflict");
  },
);

test("what proved itself is adopted when there is no intent, and only then", () => {
  const evidence = { place: "a place", content: contents.ours, type: "xfs", proven: true };
  expect(verdict({ ...evidence, intent: undefined }).kind).toBe("adopt");
  expect(verdict({ ...evidence, intent: { ...intents.begun, uuid: other } }).kind).toBe("conflict");
  expect(verdict({ ...evidence, content: contents["unknown data"], intent: undefined }).kind).toBe("conflict");
  expect(verdict({ ...evidence, content: contents["other type, our UUID"], intent: undefined }).kind).toBe("conflict");
});

test("a conflict names what was found and what was expected", () => {
  const found = verdict({ place: "/dev/vda10 (store)", intent: intents.complete, content: contents.blank, type: "crypto_LUKS" });
  expect(found).toMatchObject({
    conflict: {
      conflict: {
        what: expect.stringContaining("/dev/vda10 (store)"),
        found: "nothing",
        expected: expect.stringContaining(ours),
        todo: expect.stringContaining("do not format it"),
      },
    },
  });
});

function intent(phase: Intent["phase"]): Intent {
  return { version: 1, about: "a test", uuid: ours, phase };
}
