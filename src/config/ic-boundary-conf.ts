import { matching, parseConf, word } from "./text/conf.ts";
import * as z from "../base/schema.ts";

const IcBoundaryConf = z.object({
  max_concurrency: z.optional(word("a whole number from 1 to 1000000", matching(/^[1-9]\d{0,5}$|^1000000$/))),
  shed_ewma_param: z.optional(word("a number from 0 to 1, as in 0.5", matching(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/))),
});

/** Checks ic_boundary.conf: limits of the program that routes requests. @throws ProblemError naming every mistake with its place */
export function checkIcBoundaryConf(content: Uint8Array, file: string): void {
  parseConf(content, file, IcBoundaryConf, Object.keys(IcBoundaryConf.shape));
}
