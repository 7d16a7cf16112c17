import { type core, fromJSONSchema } from "zod";

/** What a JSON Schema finds wrong with a document. Only the large dialect of Zod reads JSON Schemas. */
export function schemaIssues(schema: unknown, document: unknown): readonly core.$ZodIssue[] {
  return fromJSONSchema(schema as core.JSONSchema.JSONSchema).safeParse(document).error?.issues ?? [];
}
