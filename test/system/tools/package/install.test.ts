import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../../..");
const folder = mkdtempSync(join(tmpdir(), "guestos-boot-install-"));
const dist = join(folder, "dist");
mkdirSync(join(dist, "man"), { recursive: true });
for (const name of ["guestos-boot", "sbom.cdx.json", "copyright", "man/guestos-boot.8"]) writeFileSync(join(dist, name), name);
chmodSync(join(dist, "guestos-boot"), 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

function install(tree: string, env: Readonly<Record<string, string>>): { readonly status: number | null; readonly said: string } {
  const { PROFILE: _, ...environment } = process.env;
  const { status, stderr } = spawnSync(join(root, "tools/install.sh"), [join(folder, tree), "/usr", dist], {
    encoding: "utf8",
    env: { ...environment, ...env },
  });
  return { status, said: stderr };
}

const text = (path: string): string => readFileSync(join(folder, path), "utf8");

test("a GuestOS's image gets nothing of a boundary node", () => {
  expect(install("guestos", {})).toEqual({ status: 0, said: "" });
  expect(text("guestos/etc/nftables.conf")).toBe(readFileSync(join(root, "etc/guestos/nftables.conf"), "utf8"));
  for (const path of ["etc/guestos-boot/profile", "usr/lib/systemd/system/nginx.service.d", "usr/lib/systemd/system/icx-proxy.service"])
    expect(existsSync(join(folder, "guestos", path)), path).toBe(false);
});

test("a boundary node's gets what is its own over what it shares", () => {
  expect(install("boundary", { PROFILE: "boundary" })).toEqual({ status: 0, said: "" });
  expect(text("boundary/etc/guestos-boot/profile")).toBe("boundary\n");
  expect(text("boundary/etc/nftables.conf")).toContain("tcp dport { 22, 80, 443, 1080, 9100 } accept");
  expect(text("boundary/usr/lib/systemd/system/nginx.service.d/boundary.conf")).toContain("-c /run/ic-node/etc/nginx/nginx.conf");
  expect(existsSync(join(folder, "boundary/usr/lib/systemd/system/guestos-boot.service"))).toBe(true);
});

test.each([
  ["guestos", true],
  ["boundary", true],
  ["hostos", false],
  ["setupos", false],
])("the modules of KVM are kept out of a guest alone, for they run the guest of a host: %s", (profile, isGuest) => {
  const tree = `kvm-${profile}`;
  expect(install(tree, { PROFILE: profile })).toEqual({ status: 0, said: "" });
  const lines = globSync(join(folder, tree, "{etc,usr/lib}/modprobe.d/*")).flatMap((path) => readFileSync(path, "utf8").split("\n"));
  expect(lines).toContain("blacklist psmouse");
  const kvm = lines.filter((line) => /^(?:blacklist|install|alias)\s+kvm/.test(line));
  expect(kvm).toEqual(isGuest ? ["blacklist kvm", "blacklist kvm_amd", "blacklist kvm_intel"] : []);
});

test("a profile that there is not is refused before anything is laid out", () => {
  expect(install("other", { PROFILE: "other" })).toMatchObject({ status: 1, said: expect.stringContaining("there is no profile other") });
  expect(existsSync(join(folder, "other"))).toBe(false);
});
