import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manual } from "./man/manual.ts";
import { componentsOf, type Metafile } from "./package/components.ts";
import { copyrightOf } from "./package/copyright.ts";
import { sbomOf } from "./package/sbom.ts";
import { root, sourceDate } from "./package/source-date.ts";

export interface Built {
  readonly executable: string;
  /** Of esbuild, of what is in it. */
  readonly metafile: string;
  readonly version: string;
  /** The folder that the documents go to. */
  readonly folder: string;
}

/** Writes what is installed beside the program: the manual, the bill of materials, the licences. */
export function writeDocuments({ executable, metafile, version, folder }: Built): void {
  const date = sourceDate();
  const { version: release } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const man = join(folder, "man");
  rmSync(man, { recursive: true, force: true });
  mkdirSync(man, { recursive: true });
  const pages = manual({ version: release, date: new Date(date * 1000).toISOString().slice(0, 10) });
  for (const [name, text] of pages) writeFileSync(join(man, name), text);
  const components = componentsOf(JSON.parse(readFileSync(metafile, "utf8")) as Metafile);
  const sha256 = createHash("sha256").update(readFileSync(executable)).digest("hex");
  writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(sbomOf(components, { version, date, sha256 }), undefined, 2)}\n`);
  writeFileSync(join(folder, "copyright"), copyrightOf(components));
}
