/**
 * Becomes an executable in bench/upgrade.ts: installs an image to the files in a folder, and says how long it took. The image is the file
 * in that folder, what comes by standard input (-), or an address.
 */
import { join } from "node:path";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { guestosLayout, type Layout } from "../src/config/layout/layout.ts";
import { type ByteSource, fileSource, standardInput } from "../src/system/files/byte-source.ts";
import { type Host, systemHost } from "../src/system/host.ts";
import { httpSource } from "../src/system/network/http-source.ts";
import { install } from "../src/upgrade/install.ts";
import type { Place } from "../src/upgrade/slot-places.ts";

void probe(process.argv[2] ?? "", process.argv[3]);

async function probe(folder: string, from: string | undefined): Promise<void> {
  const real = systemHost({ signal: new AbortController().signal });
  const host: Host = { ...real, readText: async (path) => (path === "/proc/cmdline" ? "dfinity.system=A" : real.readText(path)) };
  const state = join(folder, "state");
  const layout: Layout = {
    ...guestosLayout,
    grubenv: join(state, "grubenv"),
    versionFile: join(state, "version.txt"),
    config: {
      ...guestosLayout.config,
      intents: join(state, "intents"),
      slots: join(state, "slots"),
      refusedImages: join(state, "refused.json"),
    },
  };
  mkdirSync(state, { recursive: true });
  writeFileSync(layout.grubenv, "# GRUB Environment Block\nboot_alternative=A\nboot_cycle=stable\n".padEnd(1024, "#"));
  writeFileSync(join(state, "var"), Buffer.alloc(16 * 1024 * 1024));
  const place = (path: string): Place => ({ path, bytes: statSync(path).size, kind: "file" });
  const source = await sourceOf(folder, from, host.signal);
  const { seconds, boot, root } = await install(
    host,
    layout,
    { source, trust: { kind: "insecure" }, allowDowngrade: false, onProgress: () => undefined },
    async () => ({ boot: place(join(folder, "target-boot")), root: place(join(folder, "target-root")), var: place(join(state, "var")) }),
  );
  const written = boot.written + root.written + boot.zeroed + root.zeroed;
  const { user, system } = process.cpuUsage();
  process.stdout.write(JSON.stringify({ ...seconds, written, memory: peakMemory(), processor: (user + system) / 1e6 }));
}

async function sourceOf(folder: string, from: string | undefined, signal: AbortSignal): Promise<ByteSource> {
  if (from === undefined) return fileSource(join(folder, "update.tar.zst"), signal);
  return from === "-" ? standardInput(signal) : httpSource(new URL(from), signal);
}

/** Bytes. From the kernel's count of this program: what getrusage(2) says is never less than what the one that started it had. */
function peakMemory(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
}
