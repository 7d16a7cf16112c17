/** Writes again what is made from schemas: share/schemas, and the tables of values in docs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { references, withReference } from "./reference/config-reference.ts";
import { publishedSchemas } from "./schemas/json-schema.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "share/schemas");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of publishedSchemas()) writeFileSync(join(folder, `${name}.json`), text);
for (const [name, reference] of references()) {
  const file = join(root, "docs", name);
  writeFileSync(file, withReference(readFileSync(file, "utf8"), reference));
}
