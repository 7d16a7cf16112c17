import { expect, test } from "vitest";
import { failureOf } from "../../../../src/system/network/http-failure.ts";

/** As fetch throws it. */
function failed(code: string | undefined, message = "the words of the network"): Error {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), code === undefined ? {} : { code }) });
}

// getaddrinfo(3): EAI_AGAIN is "a temporary failure", EAI_FAIL "a permanent failure"; of EAI_NONAME Node makes ENOTFOUND.
test.each(["ENOTFOUND", "EAI_FAIL", "ERR_SSL_WRONG_VERSION_NUMBER", undefined])("%s is remedy, until that server has answered", (code) => {
  expect(failureOf(failed(code), false).remedy).toBeDefined();
  expect(failureOf(failed(code), true).remedy).toBeUndefined();
});

// Node's documentation of TLS, "X509 certificate error codes".
test.each([
  ...["UNABLE_TO_GET_ISSUER_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CERT_SIGNATURE_FAILURE"],
  ...["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED", "CRL_HAS_EXPIRED", "ERROR_IN_CERT_NOT_AFTER_FIELD", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ...["SELF_SIGNED_CERT_IN_CHAIN", "CERT_REVOKED", "INVALID_CA", "PATH_LENGTH_EXCEEDED", "INVALID_PURPOSE", "HOSTNAME_MISMATCH"],
  "ERR_TLS_CERT_ALTNAME_INVALID",
])("%s is remedy at any time", (code) => {
  for (const answered of [false, true]) expect(failureOf(failed(code), answered).remedy).toContain("certificate");
});

test.each([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
])("%s may be over in a moment", (code) => {
  expect(failureOf(failed(code), false)).toEqual({ words: "the words of the network" });
});

test("of several addresses, none of which answers, the first one's reason is told", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED ::1:80"), { code: "ECONNREFUSED" });
  const several = new AggregateError([refused, new Error("another")]);
  expect(failureOf(new TypeError("fetch failed", { cause: several }), false).words).toBe("connect ECONNREFUSED ::1:80");
});
