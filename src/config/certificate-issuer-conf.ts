import { parseKeyValue } from "./text/key-value.ts";

const keys = [
  "certificate_orchestrator_uri",
  "certificate_orchestrator_canister_id",
  "certificate_issuer_name_servers",
  "certificate_issuer_name_servers_port",
  "certificate_issuer_delegation_domain",
  "certificate_issuer_acme_provider_url",
  "certificate_issuer_acme_id",
  "certificate_issuer_acme_key",
  "certificate_issuer_cloudflare_api_url",
  "certificate_issuer_cloudflare_api_key",
  "certificate_issuer_task_delay_sec",
  "certificate_issuer_task_error_delay_sec",
  "certificate_issuer_peek_sleep_sec",
] as const;

/**
 * certificate_issuer.conf: passed on to the issuer of certificates, to which its values belong. Two of them are passwords. So values are
 * not checked, and never shown.
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkCertificateIssuerConf(content: Uint8Array, file: string): void {
  parseKeyValue(content, file, keys);
}
