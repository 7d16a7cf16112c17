import { profiles } from "../../src/profiles/profiles.ts";

/** The chains, for tests of what is in them. */
export const guestos = await profiles.guestos.chain();
export const boundary = await profiles.boundary.chain();
export const maintenance = await profiles.guestos.maintenance();
