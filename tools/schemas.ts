/** Writes share/schemas anew: a JSON Schema for each document that the program prints. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DocumentName, documents } from "./schemas/documents.ts";
import { schemaText } from "./schemas/json-schema.ts";

const folder = join(import.meta.dirname, "../share/schemas");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of Object.keys(documents) as DocumentName[]) writeFileSync(join(folder, `${name}.json`), schemaText(name));
