import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

/** A browser for one test file, with one page. */
export interface Browser {
  readonly page: Page;
  readonly stop: () => Promise<void>;
}

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Debian's Chromium, with nothing of an earlier start. Pages are 1280 pixels wide. */
export async function browser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "guestos-boot-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    ...{ executablePath: "/usr/bin/chromium", headless: true, args: FLAGS, viewport: WINDOW, timeout: TIMEOUT },
  });
  context.setDefaultTimeout(TIMEOUT);
  return {
    page: context.pages()[0] ?? (await context.newPage()),
    async stop() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Milliseconds: only ends what hangs. */
const TIMEOUT = 120_000;
const WINDOW = { width: 1280, height: 900 };

/** What is wrong with the layout of a page, as measure-page.js measures it: nothing, for a good one. */
export async function pageFaults(page: Page): Promise<readonly string[]> {
  const height = await page.evaluate<number>("document.documentElement.scrollHeight");
  await page.setViewportSize({ ...WINDOW, height: Math.max(WINDOW.height, height) });
  try {
    return await page.evaluate<readonly string[]>(readFileSync(join(import.meta.dirname, "measure-page.js"), "utf8"));
  } finally {
    await page.setViewportSize(WINDOW);
  }
}
