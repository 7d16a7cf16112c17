import { _default, array, config, exactOptional, literal, looseObject, number, object, optional, string, union, unknown } from "zod/mini";

export type { infer as Infer } from "zod/mini";

/**
 * The schemas of schema.ts with functions in place of methods, and only these. A function that is not named here is neither in the bundle
 * nor in memory. For the formats that the monitor's own process reads, which runs as long as the node. schema.ts would cost it 10 MiB.
 */
config({ jitless: true });

export const z = { _default, array, exactOptional, literal, looseObject, number, object, optional, string, union, unknown };
