import * as z from "zod/mini";

/**
 * The same schemas as in schema.ts, with functions in place of methods: what is not called is not in the bundle, nor in memory. For the formats
 * that the monitor's own process reads, which stays for as long as the node runs: of schema.ts, it would be 10 MiB.
 */
z.config({ jitless: true });

export { z };
