import { BOOT, type BadImageCase, good, plainOrder, ROOT, VERSION } from "./case.ts";
import { type RawEntry, rawTar } from "../raw-tar.ts";
import { compressions, formats, usualOrder } from "../update-images.ts";

export function members(): readonly BadImageCase[] {
  const missing = formats.flatMap((format) =>
    plainOrder.map((name) => ({
      name: `${format} without ${name}`,
      bytes: compressions[format](rawTar(plainOrder.filter((each) => each !== name).map((each) => good[each]))),
      says: new RegExp(`not complete.*no ${name.replace(".", "\\.")}`),
    })),
  );
  const twice = usualOrder.map((name) => ({
    name: `${name} twice`,
    bytes: rawTar([...usualOrder.map((each) => good[each]), good[name]]),
    says: /the same name for the second time/,
  }));
  const twiceWithDot = usualOrder.map((name) => ({
    name: `${name} and ./${name}`,
    bytes: rawTar([...usualOrder.map((each) => good[each]), { ...good[name], name: `./${name}` }]),
    says: /the same name for the second time/,
  }));
  const foreign = [
    "README",
    "boot.img.bak",
    "boot.IMG",
    "root.img/",
    "etc/passwd",
    "boot.img ",
    "VERSION.txt",
    "a/boot.img",
    "././boot.img",
    "grubenv",
    "\u001b[31m",
    "-rf",
  ].map((name) => ({
    name: `a member called ${JSON.stringify(name)}`,
    bytes: rawTar([VERSION, { name, content: "x", type: "0" }, BOOT, ROOT]),
    says: /not part of an image/,
  }));
  const outside = ["../boot.img", "../../etc/shadow", "a/../boot.img", "./../root.img", ".."].map((name) => ({
    name: `a member called ${name}`,
    bytes: rawTar([VERSION, { name, content: "x" }]),
    says: /with \.\. in it/,
  }));
  const absolute = ["/boot.img", "/etc/passwd", "//root.img"].map((name) => ({
    name: `a member called ${name}`,
    bytes: rawTar([VERSION, { name, content: "x" }]),
    says: /an absolute name/,
  }));
  const types: readonly (readonly [string, RegExp])[] = [
    ["1", /a hard link/],
    ["2", /a symbolic link/],
    ["3", /a device/],
    ["4", /a device/],
    ["5", /a folder/],
    ["6", /a FIFO/],
    ["7", /a member of type "7"/],
    ["g", /a global pax header/],
    ["L", /a long name/],
    ["K", /a long name/],
    ["M", /a member of type "M"/],
    ["V", /a member of type "V"/],
  ];
  const kinds = types.flatMap(([type, says]) => [
    { name: `boot.img of type ${type}`, bytes: rawTar([VERSION, { name: "boot.img", type, linkname: "/dev/vda1" }, ROOT]), says },
    {
      name: `root.img of type ${type}, after everything`,
      bytes: rawTar([VERSION, BOOT, ROOT, { name: "root.img", type, linkname: "boot.img" }]),
      says,
    },
  ]);
  const checksums = usualOrder.map((name) => ({
    name: `${name} with a wrong checksum`,
    bytes: rawTar(usualOrder.map((each) => (each === name ? { ...good[each], badChecksum: true } : good[each]))),
    says: /no valid tar header.*a checksum of/,
  }));
  return [...missing, ...twice, ...twiceWithDot, ...foreign, ...outside, ...absolute, ...kinds, ...checksums];
}

export function sizes(): readonly BadImageCase[] {
  const base256 = (value: bigint): Uint8Array => {
    const field = Buffer.alloc(12);
    field[0] = 0x80;
    field.writeBigUInt64BE(value, 4);
    return field;
  };
  const withSize = (entry: RawEntry, size: RawEntry["size"]): Buffer =>
    rawTar([VERSION, { ...entry, ...(size === undefined ? {} : { size }) }, ROOT]);
  return [
    { name: "boot.img that says it is longer", bytes: rawTar([VERSION, ROOT, { ...BOOT, size: 900_000 }]), says: /cut off.*in boot\.img/ },
    { name: "boot.img that says it is shorter", bytes: withSize(BOOT, 512), says: /no valid tar header/ },
    { name: "boot.img that says it is empty", bytes: withSize(BOOT, 0), says: /an empty file/ },
    { name: "root.img that is empty", bytes: rawTar([VERSION, BOOT, { name: "root.img" }]), says: /an empty file/ },
    { name: "a size in words", bytes: withSize(BOOT, "very large!!"), says: /a size that is no number/ },
    { name: "a negative size", bytes: withSize(BOOT, "-0000000001\0"), says: /a size that is no number/ },
    { name: "a negative size in base 256", bytes: withSize(BOOT, Buffer.alloc(12, 0xff)), says: /a size that is no number/ },
    { name: "a size of 2^63", bytes: withSize(BOOT, base256(2n ** 63n)), says: /a size that is no number/ },
    { name: "a size of 2^52", bytes: withSize(BOOT, base256(2n ** 52n)), says: /boot\.img is larger than its partition/ },
    {
      name: "a size of one byte more than the partition",
      bytes: withSize(BOOT, 1024 * 1024 + 1),
      says: /boot\.img is larger than its partition/,
    },
    {
      name: "root.img larger than its partition",
      bytes: rawTar([VERSION, BOOT, { name: "root.img", size: 3 * 1024 * 1024 }]),
      says: /root\.img is larger than its partition/,
    },
    {
      name: "members exchanged, root.img in the place of boot.img",
      bytes: rawTar([VERSION, { name: "boot.img", content: Buffer.alloc(1_500_000, 1) }, ROOT]),
      says: /boot\.img is larger than its partition/,
    },
  ];
}
