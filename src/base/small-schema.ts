import { _default, array, config, exactOptional, literal, looseObject, number, object, optional, string, union, unknown } from "zod/mini";

export type { infer as Infer } from "zod/mini";

/**
 * The same schemas as in schema.ts, with functions in place of methods, and only these: what is not named here is not in the bundle, nor in
 * memory. For the formats that the monitor's own process reads, which stays for as long as the node runs: of schema.ts, it would be 10 MiB.
 */
config({ jitless: true });

export const z = { _default, array, exactOptional, literal, looseObject, number, object, optional, string, union, unknown };
