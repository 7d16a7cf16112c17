import { z } from "../../src/config/schema.ts";
import { type DocumentName, documents } from "./documents.ts";

/** Names that stay: what changes in a way that breaks a reader gets another one. */
const BASE = "https://guestos-boot.invalid/schemas";

/**
 * The published schema of a command's document (json-schema.org, draft 2020-12). A reader must bear keys that it does not know,
 * which later versions may add; so the schema does, too.
 */
function publishedSchema(name: DocumentName): object {
  const { commands, schema }: { readonly commands: readonly string[]; readonly schema: z.ZodType } = documents[name];
  const title =
    commands.length === 0
      ? "what any command prints with --json when it could not do what was asked"
      : commands.map((command) => `guestos-boot ${command} --json`).join(", ");
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, $id: `${BASE}/${name}.json`, title, ...rest };
}

/** As it stands in its file. */
export function schemaText(name: DocumentName): string {
  return `${JSON.stringify(publishedSchema(name), undefined, 2)}\n`;
}
