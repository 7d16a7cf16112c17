/** Bytes that end too early for their declared length, or that encode no valid number in SSH's wire format. */
export class WireError extends Error {}

/** Reads SSH's wire format (RFC 4251, section 5) and refuses to read beyond its end. */
export class WireReader {
  readonly #data: Uint8Array;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  /** The bytes that have not been read yet. */
  get rest(): Buffer {
    return Buffer.from(this.#data.subarray(this.#position));
  }

  bytes(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#data.length) throw new WireError("is cut off");
    const part = Buffer.from(this.#data.subarray(this.#position, end));
    this.#position = end;
    return part;
  }

  number(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.number());
  }

  /** An mpint that is not negative and not larger than OpenSSH's SSHBUF_MAX_BIGNUM, without its leading zeros. */
  positive(): Buffer {
    const bytes = this.string();
    if ((bytes[0] ?? 0) >= 0x80) throw new WireError("has a negative number");
    const digits = withoutLeadingZeros(bytes);
    if (digits.length > LONGEST_NUMBER) throw new WireError("has a number that is too large");
    return digits;
  }
}

/** Bytes: sshbuf.h of OpenSSH, SSHBUF_MAX_BIGNUM. */
const LONGEST_NUMBER = 16_384 / 8;

/** The parts, each preceded by its length. */
export function wireStrings(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      return [uint32(bytes.length), bytes];
    }),
  );
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The canonical encoding of a number that is not negative: its only leading zero is the one that keeps it from being negative. */
export function mpint(bytes: Uint8Array): Buffer {
  const digits = withoutLeadingZeros(bytes);
  return (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
}

export function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
}

/** The number of bits of a number. */
export function bitLength(bytes: Uint8Array): number {
  const digits = withoutLeadingZeros(bytes);
  return digits.length === 0 ? 0 : digits.length * 8 - (Math.clz32(digits[0] ?? 0) - 24);
}

function withoutLeadingZeros(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return Buffer.from(first === -1 ? [] : bytes.subarray(first));
}
