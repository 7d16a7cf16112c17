import { config, type core } from "zod/mini";
import english from "zod/v4/locales/en.js";

/**
 * Zod's functional dialect, for every format from outside the process: `import * as z from "…/base/schema.ts"`. What is exported in this
 * form, and used by no one, is neither in the bundle nor in memory. By itself the dialect has no messages.
 *
 * By default Zod generates and compiles a function for each schema in use. A boot uses most schemas once, so even a long record is read
 * faster without.
 */
config({ jitless: true, ...english() });

export * from "zod/mini";

/** Lists and plain objects; what has a class is left as it is. */
type ReadOnly<T> = T extends readonly unknown[] | Readonly<Record<string, unknown>> ? { readonly [Key in keyof T]: ReadOnly<T[Key]> } : T;
/** The type of a schema's data, read-only all the way down. */
type Infer<T extends core.$ZodType> = ReadOnly<core.output<T>>;
export type { Infer as infer };
