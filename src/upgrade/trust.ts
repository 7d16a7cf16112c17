import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { readSignature } from "./signature.ts";

/** Why an image is trusted. */
export type Trust =
  /** The caller knows its hash, from the registry. */
  | { readonly kind: "hash"; readonly sha256: string }
  /** Signed by a key of this machine. */
  | { readonly kind: "signature"; readonly sha256: string; readonly key: string }
  /** The operator accepts the image without a hash or a signature. */
  | { readonly kind: "insecure" };

export interface TrustRequest {
  readonly sha256?: string;
  /** A file. */
  readonly signature?: string;
  readonly insecure: boolean;
}

/** @throws ProblemError when the origin of the image cannot be verified, or hash and signature contradict each other */
export async function trustFor(host: Host, layout: Layout, request: TrustRequest): Promise<Trust> {
  const sha256 = request.sha256?.toLowerCase();
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new ProblemError({ code: "sha256-not-valid", what: "--sha256 is no SHA-256", found: sha256, expected: "64 hexadecimal digits" });
  }
  if (request.signature !== undefined) {
    const signed = await readSignature(host, request.signature, layout.upgradeKeys);
    if (sha256 !== undefined && signed.sha256 !== sha256) {
      throw new ProblemError({
        code: "sha256-differs",
        what: "--sha256 and --signature name two different images",
        where: { file: request.signature },
        found: signed.sha256,
        expected: sha256,
      });
    }
    return { kind: "signature", ...signed };
  }
  if (sha256 !== undefined) return { kind: "hash", sha256 };
  if (request.insecure) return { kind: "insecure" };
  throw new ProblemError({
    code: "image-not-vouched",
    what: "the origin of the image cannot be verified",
    found: "neither --sha256 nor --signature",
    expected: "the hash of the file, or its signature",
    todo: "give one of them; --insecure accepts any complete image, whatever its origin",
  });
}
