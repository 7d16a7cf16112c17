/** The kernel requires O_DIRECT buffers aligned to the device's blocks (open(2)). No device here has blocks larger than a page. */
const PAGE = 4096;
/** Missing from Node's types; those of browsers have it. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number; readonly shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

/** Bytes of a page of WebAssembly memory. */
const WASM_PAGE = 65_536;

/** Memory that every thread of the program sees, so that data for a thread need not be copied. */
export type SharedBuffer = Buffer<SharedArrayBuffer>;

/**
 * Buffers whose memory begins on a page boundary: direct I/O needs that, and Node's own buffers do not guarantee it.
 *
 * WebAssembly memory has a mapping of its own, so it begins on a page of the machine. No code runs in it.
 *
 * @param count how many
 * @param bytes of each; a multiple of 4096
 */
export function alignedBuffers(count: number, bytes: number): readonly SharedBuffer[] {
  if (bytes % PAGE !== 0) throw new RangeError(`${bytes} is no multiple of ${PAGE}`);
  const pages = Math.ceil((count * bytes) / WASM_PAGE);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return Array.from({ length: count }, (_, index) => Buffer.from(buffer, index * bytes, bytes));
}
