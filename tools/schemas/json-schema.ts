import { BootConfig, ExtraUnit } from "../../src/config/boot-config.ts";
import * as z from "../../src/base/schema.ts";
import { type DocumentName, documents } from "./documents.ts";

/** Names that stay: what changes in a way that breaks a reader gets another one. */
const BASE = "https://guestos-boot.invalid/schemas";

/**
 * The published schema of a command's document (json-schema.org, draft 2020-12). A reader must bear keys that it does not know,
 * which later versions may add; so the schema does, too.
 */
function publishedSchema(name: DocumentName): object {
  const { commands, schema }: { readonly commands: readonly string[]; readonly schema: z.ZodMiniType } = documents[name];
  const title =
    commands.length === 0
      ? "what any command prints with --json when it could not do what was asked"
      : commands.map((command) => `guestos-boot ${command} --json`).join(", ");
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, $id: `${BASE}/${name}.json`, title, ...rest };
}

/** For editors: what may are in a file that people write. */
const files = {
  "config-file": { title: "/etc/guestos-boot/config.yaml", schema: BootConfig },
  "extra-unit": { title: "/etc/guestos-boot/units.d/NAME/unit.yaml", schema: ExtraUnit },
} as const;

function fileSchema(name: keyof typeof files): object {
  const { title, schema } = files[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, $id: `${BASE}/${name}.json`, title, ...rest };
}

/** Every schema as it is in its file, by the file's name. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const text = (schema: object): string => `${JSON.stringify(schema, undefined, 2)}\n`;
  return new Map([
    ...(Object.keys(documents) as DocumentName[]).map((name) => [name, text(publishedSchema(name))] as const),
    ...(Object.keys(files) as (keyof typeof files)[]).map((name) => [name, text(fileSchema(name))] as const),
  ]);
}
