import { profiles } from "../../src/profiles/profiles.ts";

/** The chains, for tests of what is in them. */
export const everyUnit = [...new Set((await Promise.all(Object.values(profiles).map(async ({ chain }) => chain()))).flat())];
export const guestos = await profiles.guestos.chain();
export const boundary = await profiles.boundary.chain();
export const hostos = await profiles.hostos.chain();
export const setupos = await profiles.setupos.chain();
export const maintenance = await profiles.guestos.maintenance();
