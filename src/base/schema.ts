import * as z from "zod";

/**
 * Zod, for every format from outside the process. By default it generates and compiles a function for each schema in use. A boot uses most
 * schemas once, so even a long record is read faster without.
 */
z.config({ jitless: true });

export { z };
