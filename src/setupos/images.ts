import { ProblemError } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";

const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const Image = z.strictObject({
  /** Of the archive. */
  sha256: Sha256,
  bytes: z.int().check(z.positive()),
  /** Bytes of the disk in it. */
  disk: z.int().check(z.positive()),
  /** SHA-256 of the first 4 MiB of the disk. */
  head: Sha256,
});
const Images = z.strictObject({
  format: z.literal(1),
  /** The version of the systems. */
  version: z.string().check(z.minLength(1), z.maxLength(256)),
  hostos: Image,
  guestos: Image,
});

/** images.json of a stick: what its two archives hold. Whoever makes the stick writes it (image/setupos). */
export type StickImages = z.infer<typeof Images>;
export type StickImage = StickImages["hostos"];

/** @throws ProblemError when it is missing, or no such document */
export async function readStickImages(host: Host, file: string): Promise<StickImages> {
  const text = await host.readText(file);
  try {
    return Images.parse(JSON.parse(text ?? ""));
  } catch {
    throw new ProblemError({
      code: "stick-images-unknown",
      what: "the stick does not say what images it has",
      where: { file },
      found: text === undefined ? "no such file" : "another document",
      expected: "images.json, as the maker of the stick writes it",
      todo: "write the stick again, from an image that you have downloaded again",
    });
  }
}
