import { chance } from "../effects/chance.ts";

/** A number from 0 to `most` - 1, the same for the same words. */
export type Choose = (most: number) => number;

/** @param what names the case: all that is chosen follows from it */
export function chooser(what: string): Choose {
  let count = 0;
  return (most) => {
    count += 1;
    return Math.floor(chance(`${what} ${count}`) * most);
  };
}

const SECTOR = 512;
/** The boot sector, both tables and the root folder of the media here are in it. */
const FRONT = 64 * 1024;

type Damage = (image: Buffer, choose: Choose) => Buffer;

/** Ways in which a FAT image can be wrong, by accident or on purpose. */
const DAMAGES: readonly Damage[] = [
  // Single bits, anywhere or where the structure is.
  (image, choose) => {
    const within = choose(2) === 0 ? image.length : Math.min(FRONT, image.length);
    for (let count = 1 + choose(20); count > 0; count -= 1) {
      const at = choose(within);
      image[at] = (image[at] ?? 0) ^ (1 << choose(8));
    }
    return image;
  },
  // A field of the boot sector (FAT32 File System Specification, 3.1).
  (image, choose) => {
    const at = 11 + choose(60);
    image.set(values(choose).subarray(0, 1 + choose(4)), at);
    return image;
  },
  // Entries of the table: a chain that ends early, never, or leads elsewhere.
  (image, choose) => {
    const table = image.readUInt16LE(14) * SECTOR;
    for (let count = 1 + choose(10); count > 0; count -= 1) {
      const at = table + choose(2 * 1024);
      if (at + 2 < image.length) image.set(values(choose).subarray(0, 2), at);
    }
    return image;
  },
  // A field of a folder's entry: attributes, first cluster, size, a part of a long name.
  (image, choose) => {
    const names = [
      ...image
        .subarray(0, Math.min(image.length, 1024 * 1024))
        .toString("latin1")
        .matchAll(/IC-BOO|CONFIG|NETWOR|ACCOUN/g),
    ];
    const start = names[choose(names.length)]?.index;
    if (start === undefined) return image;
    const entry = start - (start % 32) - 32 * choose(3);
    if (entry >= 0) image.set(values(choose).subarray(0, 1 + choose(4)), entry + choose(32));
    return image;
  },
  (image, choose) => image.subarray(0, (1 + choose(image.length / SECTOR)) * SECTOR),
  (image, choose) => {
    const [from, to] = [choose(image.length / SECTOR), choose(Math.min(image.length, FRONT) / SECTOR)];
    image.copyWithin(to * SECTOR, from * SECTOR, (from + 1) * SECTOR);
    return image;
  },
  (image, choose) => {
    const at = choose(Math.min(image.length, 2 * FRONT) / SECTOR) * SECTOR;
    return image.fill(choose(2) === 0 ? 0 : 0xff, at, at + SECTOR * (1 + choose(8)));
  },
];

/** Four bytes of those that are most often mishandled, or any. */
function values(choose: Choose): Buffer {
  const numbers = [0, 1, 2, 0xf8, 0xff, 0x7f_ff, 0x80_00, 0xff_f7, 0xff_ff, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff];
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(choose(2) === 0 ? (numbers[choose(numbers.length)] ?? 0) : choose(2 ** 32));
  return bytes;
}

/** @returns a copy of the image that is damaged in one to three ways */
export function damaged(image: Buffer, choose: Choose): Buffer {
  let made: Buffer = Buffer.from(image);
  for (let count = 1 + choose(3); count > 0; count -= 1) made = DAMAGES[choose(DAMAGES.length)]?.(made, choose) ?? made;
  return made;
}
