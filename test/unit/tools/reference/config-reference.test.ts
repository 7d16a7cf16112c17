import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BootConfig } from "../../../../src/config/boot-config.ts";
import { parseYaml } from "../../../../src/config/text/yaml-file.ts";
import { references, valuesOf, withReference } from "../../../../tools/reference/config-reference.ts";

test("docs have every value as the schemas have it; make schemas writes them", () => {
  for (const [name, reference] of references()) {
    const text = readFileSync(`docs/${name}`, "utf8");
    expect(text, `docs/${name}: make schemas writes it`).toBe(withReference(text, reference));
  }
});

test("every value is described", () => {
  for (const { key, description, value } of valuesOf(BootConfig)) {
    expect(description, key).not.toBe("");
    expect(value, key).not.toMatch(/^$|undefined|Invalid/);
  }
});

test("the file of docs/boot-config.md can be read", async () => {
  const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(readFileSync("docs/boot-config.md", "utf8")) ?? [];
  const { value } = await parseYaml(Buffer.from(yaml), "docs/boot-config.md", BootConfig);
  expect(value.units).toMatchObject({ journalbeat: { off: true }, "config-injection": { retryFor: 60 } });
});

test("a document without a place for a reference is an error", () => {
  expect(() => withReference("# A title\n", "x")).toThrow("no place for a reference");
});
