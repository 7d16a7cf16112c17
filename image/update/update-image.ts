/**
 * Builds an upgrade image from the disk image: `make update-image VERSION=…`, with PROFILE= of another system. The systems in both are the same
 * but for the version.
 *
 * Leaves build/update-VERSION.tar.zst (build/update-hostos-VERSION.tar.zst and so on), its signature beside it, and the key that it can be checked with.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_PROFILE } from "../../src/profiles/profiles.ts";
import { problemLines, ProblemError, toProblem } from "../../src/base/problem.ts";
import { inTemporaryFolder, interrupted, whole } from "../tools.ts";
import { buildFolder } from "../paths.ts";
import { optionsFrom } from "../options.ts";
import { contentOf } from "./update-content.ts";
import { writeUpdate } from "./write-update.ts";

const MIB = 1024 * 1024;

async function updateImage(version: string): Promise<void> {
  if (!/^[\w.+~-]{1,256}$/.test(version)) {
    throw new ProblemError({
      code: "image-version-wrong",
      what: "VERSION is missing or has other characters than a version",
      found: version,
      expected: "make update-image VERSION=1.2.3",
    });
  }
  const { layout, profile } = await optionsFrom(process.env);
  await inTemporaryFolder(buildFolder, async (folder) => {
    const content = await contentOf(profile, version, layout, folder);
    const out = join(buildFolder, `update-${profile === DEFAULT_PROFILE ? "" : `${profile}-`}${version}.tar.zst`);
    const { sha256, bytes } = await writeUpdate(out, content, await signingKey());
    console.log(`${out}: ${(bytes / MIB).toFixed(1)} MiB, sha256 ${sha256}`);
  });
}

/** Made on the spot, for tests: an image that goes to nodes is signed by its publisher. */
async function signingKey(): Promise<KeyObject> {
  const file = join(buildFolder, "update-key.pem");
  await mkdir(buildFolder, { recursive: true });
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    await whole(file, (temporary) => writeFile(temporary, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 }));
  }
  const key = createPrivateKey(await readFile(file));
  await writeFile(join(buildFolder, "update-key.pub.pem"), createPublicKey(key).export({ type: "spki", format: "pem" }));
  return key;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
try {
  await updateImage(process.env["VERSION"] ?? "");
} catch (error) {
  console.error(`update-image: ${problemLines(toProblem(error)).join("\n       ")}`);
  process.exitCode = 1;
}
