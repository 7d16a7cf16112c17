import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { optionsFrom } from "../../../image/options.ts";

const ENV = { PROFILE: "setupos", GUESTOS_MIRROR: "http://mirror.example/debian" };

test("a stick for real machines is not made without its deployment.json; the lab's has its own", async () => {
  await expect(optionsFrom({ ...ENV, VARIANT: "prod" })).rejects.toMatchObject({ problem: { code: "image-deployment-missing" } });
  const folder = mkdtempSync(join(tmpdir(), "guestos-boot-stick-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await expect(optionsFrom({ ...ENV, VARIANT: "prod", STICK_FOLDER: folder })).rejects.toMatchObject({
    problem: { code: "image-deployment-missing", where: { file: join(folder, "data/deployment.json") } },
  });
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data/deployment.json"), "{}");
  expect(await optionsFrom({ ...ENV, VARIANT: "prod", STICK_FOLDER: folder })).toMatchObject({ stickFolder: folder });
  expect((await optionsFrom(ENV)).stickFolder).toMatch(/lab\/setupos$/);
});
