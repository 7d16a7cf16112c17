import { X509Certificate } from "node:crypto";
import { ProblemError } from "../base/problem.ts";
import type { CertificateRequest } from "../system/openssl.ts";
import { nodeExporterCertificate } from "../units/identity/node-exporter-keys.ts";
import { type Check, type Finding, notice, wrong } from "./check.ts";

const DAY = 24 * 3600 * 1000;
/** A boot renews the certificate in its last 30 days; the notice comes before that. */
const EARLY = 60 * DAY;

export const certificateCheck: Check = {
  name: "certificate",
  title: "node_exporter's certificate is valid, and will be for a while",
  seen: "openssl x509 -noout -dates",
  async inspect({ layout }, host) {
    const file = nodeExporterCertificate(layout);
    const text = await host.readText(file);
    if (text === undefined)
      throw new ProblemError({ code: "exporter-certificate-missing", what: "there is no certificate of node_exporter", where: { file } });
    const validity = validityOf(text, file);
    return { fact: `valid until ${day(validity.until)}`, findings: judgeValidity(validity, new Date(), file) };
  },
};

type Validity = Pick<CertificateRequest, "from" | "until">;

function validityOf(text: string, file: string): Validity {
  try {
    const { validFromDate, validToDate } = new X509Certificate(text);
    return { from: validFromDate, until: validToDate };
  } catch (cause) {
    throw new ProblemError(
      { code: "exporter-certificate-unreadable", what: "node_exporter's certificate cannot be read", where: { file } },
      { cause },
    );
  }
}

export function judgeValidity({ from, until }: Validity, now: Date, file: string): readonly Finding[] {
  const seen = `openssl x509 -noout -dates -in ${file}`;
  if (from.getTime() > now.getTime()) {
    return wrong(seen, {
      code: "certificate-not-yet-valid",
      what: "node_exporter's certificate is not valid yet",
      found: `valid from ${from.toISOString()}, and it is ${now.toISOString()}: one of two clocks was wrong`,
      todo: "see that the time is right (timedatectl); then guestos-boot --unit node-exporter-keys signs a new one; update the clients that pin it",
    });
  }
  const left = until.getTime() - now.getTime();
  if (left <= 0) {
    return wrong(seen, {
      code: "certificate-expired",
      what: "node_exporter's certificate has expired",
      found: `valid until ${day(until)}`,
      todo: "guestos-boot --unit node-exporter-keys signs a new one; then update the clients that pin it",
    });
  }
  if (left > EARLY) return [];
  return notice(seen, {
    code: "certificate-expires-soon",
    what: "node_exporter's certificate expires soon",
    found: `valid until ${day(until)}, ${Math.floor(left / DAY)} days from now`,
    todo: "restart the node in the last 30 days of it, or run guestos-boot --unit node-exporter-keys then; and update the clients that pin it",
  });
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
