/** `package.ts deb` or `package.ts tarball`: packs what the build left in dist/, for the profile that PROFILE names. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { profileFrom } from "../image/options.ts";
import { buildDeb, buildTarball } from "./package/deb.ts";
import { root } from "./package/source-date.ts";

const kinds = { deb: { build: buildDeb, ending: "_amd64.deb" }, tarball: { build: buildTarball, ending: "-linux-amd64.tar.gz" } };

const kind = Object.entries(kinds).find(([name]) => name === process.argv[2])?.[1];
if (kind === undefined) throw new Error(`usage: package.ts ${Object.keys(kinds).join("|")}`);
const dist = join(root, "dist");
// Older ones: who takes "the package in dist" must find one.
for (const name of readdirSync(dist)) if (name.startsWith("guestos-boot") && name.endsWith(kind.ending)) rmSync(join(dist, name));
const { file } = kind.build({ profile: profileFrom(process.env), folder: dist });
console.log(`${relative(root, file)}: ${(statSync(file).size / 1024 / 1024).toFixed(1)} MiB`);
