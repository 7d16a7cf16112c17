import { foreignWords } from "../../base/foreign-words.ts";

export interface HttpFailure {
  readonly words: string;
  /** Set where a retry would fail in the same way: what the operator can do. */
  readonly remedy?: string;
}

/** Node's documentation of TLS, "X509 certificate error codes". */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|SELF_SIGNED_|DEPTH_ZERO_|PATH_LENGTH_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;
/** getaddrinfo(3): Node reports EAI_NONAME and EAI_NODATA as ENOTFOUND. EAI_AGAIN is temporary. */
const NAME = /^(?:ENOTFOUND|EAI_FAIL)$/;

/**
 * Why fetch, or reading its answer, has failed.
 *
 * @param answered whether that server has answered before. Its name and TLS worked then, so a failure of either is temporary
 */
export function failureOf(error: unknown, answered: boolean): HttpFailure {
  const reason = innermost(error);
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  if (CERTIFICATE.test(code)) {
    const todo = "check the server's certificate, whether this machine trusts its issuer, and this machine's clock (date)";
    return { words: `the server's certificate is not accepted: ${foreignWords(reason)}`, remedy: todo };
  }
  // OpenSSL's own messages name places in its source.
  const words = code.startsWith("ERR_SSL_") ? code : foreignWords(reason);
  if (answered) return { words };
  if (code.startsWith("ERR_SSL_")) return { words, remedy: "check whether that port speaks TLS (https), and which versions of it" };
  if (NAME.test(code))
    return { words, remedy: "check whether the name in the address is right, and which name server is asked: resolvectl" };
  // Errors of the network have a code. The rest is what fetch itself refuses, such as a port that is reserved for mail.
  return code === "" ? { words, remedy: "check whether host and port of the address are right" } : { words };
}

/** fetch says "fetch failed" and keeps the reason in the cause. Of several addresses, the first one's reason is enough. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError) return innermost(error.errors[0]);
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}
