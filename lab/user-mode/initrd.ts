import { initramfs } from "../../image/small-guest/initramfs.ts";

/** The kernel's word that has the addition run before the initramfs's own program. */
export const FIRST_PROGRAM = "rdinit=/lab-first";

/** Adds a script to those at the initramfs's end (initramfs-tools(7)). */
const FIRST = `#!/bin/sh
echo '/scripts/init-bottom/lab "$@"' >>/scripts/init-bottom/ORDER
exec /init "$@"
`;

/** The initramfs has neither chmod nor cp. systemd takes over what is in this folder (systemd.system-credentials(7)). */
const LAST = `#!/bin/sh
[ "$1" = prereqs ] && exit 0
umask 077
mkdir -p /run/credentials/@initrd
for file in /lab/*; do cat "$file" >"/run/credentials/@initrd/\${file##*/}"; done
umask 022
mkdir -p /run/systemd/network
cat /lab-card.link >/run/systemd/network/10-lab-card.link
`;

/** The card is on no bus that could name it, so it gets the name that it has in an emulated machine. */
const CARD = `[Match]
OriginalName=vec0

[Link]
Name=enp0s16
`;

/**
 * An initramfs with an addition behind it (Linux, Documentation/driver-api/early-userspace/buffer-format.rst): a user-mode machine has no
 * firmware that could hand credentials over.
 *
 * @param original the image's own
 * @param credentials system credentials, by name
 */
export function withCredentials(original: Uint8Array, credentials: Readonly<Record<string, string>>): Uint8Array {
  const addition = initramfs([
    { path: "lab-first", contents: FIRST },
    { path: "scripts/init-bottom/lab", contents: LAST },
    { path: "lab-card.link", contents: CARD },
    { path: "lab" },
    ...Object.entries(credentials).map(([name, contents]) => ({ path: `lab/${name}`, contents })),
  ]);
  // An archive starts at a multiple of four bytes.
  return Buffer.concat([original, Buffer.alloc((4 - (original.length % 4)) % 4), addition]);
}
