/** Bytes that must show up nowhere. */
export interface KnownSecret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a file of keys holds that no one may see. A certificate is shown to everyone. */
export function secretsIn(name: string, content: Uint8Array): readonly KnownSecret[] {
  const text = Buffer.from(content).toString("latin1");
  if (text.includes("PRIVATE KEY")) return pemSecrets(name, text);
  return name.endsWith("store.keyfile") ? [{ name, bytes: content.slice(-32) }] : [];
}

/** The body of a PEM key: its lines as they are, without those that all keys of the kind begin with, and those that its public half has too. */
export function pemSecrets(name: string, pem: string): readonly KnownSecret[] {
  const body = /PRIVATE KEY-----\n([^-]*)-----END/.exec(pem)?.[1]?.trim().split("\n") ?? [];
  const own = body.length > 1 ? body.slice(1) : body.map((line) => line.slice(-32));
  const shown = pem.includes("OPENSSH") ? publicHalf(Buffer.from(body.join(""), "base64")) : "";
  return own.filter((line) => line.length >= 16 && !shown.includes(line)).map((line) => ({ name, bytes: Buffer.from(line) }));
}

/** Of an OpenSSH key, as its `.pub` has it (OpenSSH's PROTOCOL.key): the fifth field, behind three texts and a number. Empty for a part of a key. */
function publicHalf(key: Buffer): string {
  const lengthAt = (at: number): number => (at + 4 <= key.length ? key.readUInt32BE(at) : 0);
  let at = "openssh-key-v1\0".length;
  for (let texts = 0; texts < 3; texts += 1) at += 4 + lengthAt(at);
  at += 4;
  return key.subarray(at + 4, at + 4 + lengthAt(at)).toString("base64");
}

/** Which of the secrets are in there, in any of the ways in which bytes are usually written. */
export function namesFound(secrets: readonly KnownSecret[], haystack: Buffer): readonly string[] {
  return secrets.filter(({ bytes }) => isIn(haystack, writings(bytes))).map(({ name }) => name);
}

export function isIn(haystack: Buffer, written: readonly Buffer[]): boolean {
  return written.some((writing) => haystack.includes(writing));
}

/** In each of those ways. */
export function writings(bytes: Uint8Array): readonly Buffer[] {
  const raw = Buffer.from(bytes);
  const hex = raw.toString("hex");
  // Without the last group, which depends on what follows.
  const base64 = raw.toString("base64").replace(/.{4}$/, "");
  return [raw, Buffer.from(hex), Buffer.from(hex.toUpperCase()), Buffer.from(base64)];
}
