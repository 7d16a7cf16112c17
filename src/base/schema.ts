import * as z from "zod";

/**
 * Zod, for every format from outside the process. Left to itself it writes and compiles a function for each schema that is
 * used; a boot uses most schemas once, and to read even a long record takes less time without.
 */
z.config({ jitless: true });

export { z };
