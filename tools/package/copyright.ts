import type { Component } from "./components.ts";

const APACHE = `Copyright: 2026 the authors of guestos-boot
License: Apache-2.0
 On Debian systems, the full text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.`;

/** /usr/share/doc/guestos-boot/copyright (Debian policy 12.5): ours, and that of each part of the executable, with its text. */
export function copyrightOf(components: readonly Component[]): string {
  return [
    `guestos-boot\n${"=".repeat(12)}\n\n${APACHE}`,
    "The executable /usr/bin/guestos-boot contains the following software of others.",
    ...components.map(({ name, version, license, licenseText }) => {
      const title = `${name} ${version}`;
      return `${title}\n${"-".repeat(title.length)}\n\nLicense: ${license}\n\n${licenseText}`.trim();
    }),
  ]
    .join("\n\n")
    .concat("\n");
}
