import { endpointUrl, parseEndpoint } from "./values/endpoint.ts";

/** The port of systemd-journal-upload (systemd-journal-upload.service(8)). */
const PORT = 19532;

export interface UploadTls {
  /** The certificates that identify the receiver. */
  readonly trusted: string | undefined;
  /** Whether the node has a key and certificate at the shipper's own paths. */
  readonly hasOwn: boolean;
}

/** The address to which the journal is sent: `https://logs.example.org:19532`. */
export function uploadUrl(host: string): string {
  return endpointUrl(parseEndpoint(host, PORT));
}

/** A drop-in of journal-upload.conf(5). "-" for key and certificate: this node presents none, and the receiver must not require one. */
export function journalUploadConf(url: string, { trusted, hasOwn }: UploadTls): string {
  const settings = [
    `URL=${url}`,
    ...(url.startsWith("https:") && !hasOwn ? ["ServerKeyFile=-", "ServerCertificateFile=-"] : []),
    ...(trusted === undefined ? [] : [`TrustedCertificateFile=${trusted}`]),
  ];
  return `# Written by guestos-boot; edit journalbeat.conf on the config partition instead.\n[Upload]\n${settings.join("\n")}\n`;
}
