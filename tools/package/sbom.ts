import { createHash } from "node:crypto";
import type { Component } from "./components.ts";

export interface Product {
  readonly version: string;
  /** Seconds since 1970. */
  readonly date: number;
  /** SHA-256 of the executable that the components are in. */
  readonly sha256: string;
}

/** A bill of materials (cyclonedx.org/docs/1.6/json): what is in the executable, not what was installed to build it. */
export function sbomOf(components: readonly Component[], { version, date, sha256 }: Product): object {
  const product = `pkg:generic/guestos-boot@${encodeURIComponent(version)}`;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`${product} ${sha256}`)}`,
    version: 1,
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: {
        type: "application",
        "bom-ref": product,
        name: "guestos-boot",
        version,
        purl: product,
        licenses: [{ license: { id: "Apache-2.0" } }],
        hashes: [{ alg: "SHA-256", content: sha256 }],
      },
    },
    components: components.map(({ name, version: its, license, purl, contains }) => ({
      type: purl.startsWith("pkg:npm/") ? "library" : "platform",
      "bom-ref": purl,
      name,
      version: its,
      purl,
      licenses: [{ expression: license }],
      ...(contains.length === 0
        ? {}
        : {
            components: contains.map((part) => ({
              type: "library",
              "bom-ref": `${purl}#${part.name}`,
              name: part.name,
              version: part.version,
            })),
          }),
    })),
    dependencies: [
      { ref: product, dependsOn: components.map(({ purl }) => purl) },
      ...components.map(({ purl, contains }) => ({ ref: purl, dependsOn: contains.map(({ name }) => `${purl}#${name}`) })),
    ],
  };
}

/** The same document has the same name: a UUID of version 8 (RFC 9562, 5.8), made of a digest. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
