/** The kernel wants O_DIRECT buffers aligned to the device's blocks (open(2)); no device here has larger ones than a page. */
const PAGE = 4096;
/** What Node's types leave out of it (it is in those of browsers). */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number; readonly shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

/** Bytes of a page of WebAssembly memory. */
const WASM_PAGE = 65_536;

/** Memory that every thread of the program sees: what a thread is to work on need not be copied to it. */
export type SharedBuffer = Buffer<SharedArrayBuffer>;

/**
 * Buffers whose memory begins on a page: what direct I/O needs, and Node's own buffers do not promise.
 *
 * Memory of WebAssembly is mapped by itself, so that it begins on a page of the machine; nothing runs in it.
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
