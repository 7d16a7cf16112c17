import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The port of the guest's own loopback vsock that stands for the host's. */
const PORT = 4242;
const ADDRESS = `vsock-stream:1:${PORT}`;

/**
 * What a host gives a machine that it wants to hear from, and to ship its logs over TLS, all inside of that machine: no
 * vsock of the host is needed, and no receiver outside.
 */
export function logHostCredentials(): Readonly<Record<string, string>> {
  const { certificate, key } = receiverCertificate();
  return {
    // systemd's own credential: the manager of virtual machines listens there.
    "vmm.notify_socket": ADDRESS,
    "systemd.extra-unit.test-host.service": LISTENER,
    "systemd.unit-dropin.guestos-boot.service": "[Unit]\nWants=test-host.service test-receiver-known.service\nAfter=test-host.service\n",
    "systemd.extra-unit.test-receiver-known.service": KNOWN,
    "test.listener": `while IFS= read -r line || [ -n "$line" ]; do echo "$line"; done >>${NOTIFICATIONS}`,
    "test.certificate": certificate,
    "test.key": key,
  };
}

/** Every line of every message that was sent to the host. */
export const NOTIFICATIONS = "/run/test-host.log";

/**
 * Not a socket unit: PID 1, which speaks first, waits until its listener has closed the connection, so it must not be that itself.
 * It is up once it has heard a first message.
 */
const LISTENER = `[Unit]
DefaultDependencies=no
[Service]
ExecStartPre=modprobe vsock_loopback
ExecStart=systemd-socket-activate --listen=vsock::${PORT} --accept --inetd /bin/sh /run/credentials/@system/test.listener
Environment=NOTIFY_SOCKET=${ADDRESS}
ExecStartPost=/bin/sh -c 'until systemd-notify --no-block STATUS=listening; do sleep 0.2; done'
`;

/** The image has no authority of its own; a node's image would. Before the system bus is there, for which the unit that asks for it waits. */
const KNOWN = `[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount -t tmpfs tmpfs /etc/ssl/certs
ExecStart=cp /run/credentials/@system/test.certificate /etc/ssl/certs/ca-certificates.crt
ExecStart=chmod 0644 /etc/ssl/certs/ca-certificates.crt
`;

/** A receiver on port 19532 of the guest, over TLS. What it was sent is in journals of that folder. Debian's is built without the check of who sends. */
export const RECEIVED = "/run/test-receiver";
export const startReceiver = [
  `mkdir -p ${RECEIVED}`,
  "systemd-run --unit=test-receiver --property=DefaultDependencies=no /usr/lib/systemd/systemd-journal-remote --listen-https=19532" +
    ` --key=/run/credentials/@system/test.key --cert=/run/credentials/@system/test.certificate --split-mode=none --output=${RECEIVED}/received.journal`,
].join(" && ");

function receiverCertificate(): { readonly certificate: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), "receiver-"));
  try {
    const files = { key: join(folder, "key"), certificate: join(folder, "certificate") };
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"];
    execFileSync("openssl", ["req", ...made, ...subject, "-keyout", files.key, "-out", files.certificate], { stdio: "ignore" });
    return { certificate: readFileSync(files.certificate, "utf8"), key: readFileSync(files.key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
