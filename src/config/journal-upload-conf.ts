import { endpointUrl, parseEndpoint } from "./values/endpoint.ts";

/** systemd-journal-upload's own (systemd-journal-upload.service(8)). */
const PORT = 19532;

export interface UploadTls {
  /** The certificates by which the receiver is known. */
  readonly trusted: string | undefined;
  /** Whether the node has a key and certificate at the shipper's own places. */
  readonly hasOwn: boolean;
}

/** To where the journal is sent: `https://logs.example.org:19532`. */
export function uploadUrl(host: string): string {
  return endpointUrl(parseEndpoint(host, PORT));
}

/**
 * A drop-in of journal-upload.conf(5). "-" for key and certificate: this node shows none, and the receiver must not ask for one.
 */
export function journalUploadConf(url: string, { trusted, hasOwn }: UploadTls): string {
  const settings = [
    `URL=${url}`,
    ...(url.startsWith("https:") && !hasOwn ? ["ServerKeyFile=-", "ServerCertificateFile=-"] : []),
    ...(trusted === undefined ? [] : [`TrustedCertificateFile=${trusted}`]),
  ];
  return `# Written by guestos-boot; edit journalbeat.conf on the config partition instead.\n[Upload]\n${settings.join("\n")}\n`;
}
