import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { watchDantedInputs, watchNginxInputs } from "../../../../src/units/services/watch-inputs.ts";
import { testLayout } from "../../../support/test-layout.ts";

/** Makes changes one after the other; says for each whether the watcher yielded within a moment. */
async function yields(watch: typeof watchNginxInputs, changes: readonly ((folder: string) => void)[]): Promise<readonly boolean[]> {
  const root = mkdtempSync(join(tmpdir(), "guestos-boot-watch-"));
  const layout = testLayout(root);
  const folder = layout.mountPoints.config;
  mkdirSync(folder, { recursive: true });
  const stop = new AbortController();
  let rings = 0;
  const watching = (async () => {
    for await (const _ of watch({ host: systemHost({ signal: stop.signal }), layout }, stop.signal)) rings += 1;
  })();
  const seen: boolean[] = [];
  try {
    await settled(() => rings);
    for (const change of changes) {
      const before = rings;
      change(folder);
      await settled(() => rings);
      seen.push(rings > before);
    }
  } finally {
    stop.abort();
    await watching;
    rmSync(root, { recursive: true });
  }
  return seen;
}

/** Until the number has not changed for a moment: what has not come by then was not meant to come. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

const certificate = (folder: string): void => {
  mkdirSync(join(folder, "certs"), { recursive: true });
  writeFileSync(join(folder, "certs/.new"), String(Math.random()));
  renameSync(join(folder, "certs/.new"), join(folder, "certs/fullchain.pem"));
};
const variables = (folder: string): void => writeFileSync(join(folder, "bn_vars.conf"), String(Math.random()));
const unrelated = (folder: string): void => writeFileSync(join(folder, "injection.json"), String(Math.random()));

test("nginx is inspected when its certificate comes or is replaced, and when a value changes; for nothing else", async () => {
  const replaceFolder = (folder: string): void => {
    renameSync(join(folder, "certs"), join(folder, "old"));
    certificate(folder);
  };
  expect(await yields(watchNginxInputs, [certificate, certificate, variables, unrelated, replaceFolder, certificate])).toEqual([
    ...[true, true, true, false, true, true],
  ]);
});

test("danted is inspected when its values change, and not for a certificate", async () => {
  expect(await yields(watchDantedInputs, [variables, certificate, variables])).toEqual([true, false, true]);
});
