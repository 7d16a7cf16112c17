import { createPrivateKey } from "node:crypto";
import type { Problem } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { checkPrivateKey } from "../values/pem.ts";

/** What a node operator's tools (dfx, quill) make. */
const KINDS: readonly (string | undefined)[] = ["secp256k1", "ed25519"];

/**
 * Checks node_operator_private_key.pem, with which a node registers.
 *
 * @returns what is wrong with its kind. It shows no part of the key
 * @throws ProblemError unless it is one private key in PEM that is not encrypted
 */
export function operatorKeyProblem(key: Secret, file: string): Problem | undefined {
  checkPrivateKey(key, file);
  const kind = kindOf(key);
  if (kind === undefined || KINDS.includes(kind)) return undefined;
  return {
    code: "operator-key-kind",
    what: "the operator's key is of a kind that no node registers with",
    where: { file },
    found: kind,
    expected: KINDS.join(" or "),
    todo: "export the key of the node operator again",
  };
}

/** `undefined` where OpenSSL does not read it: some programs write Ed25519 keys in a form that it does not know. */
function kindOf(key: Secret): string | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey({ key: Buffer.from(key.expose()), format: "pem" });
    return type === "ec" ? details?.namedCurve : type;
  } catch {
    return undefined;
  }
}
