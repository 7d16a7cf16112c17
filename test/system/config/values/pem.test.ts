import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { checkPrivateKey } from "../../../../src/config/values/pem.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { Secret } from "../../../../src/base/secret.ts";

function openssl(args: readonly string[], input = ""): { readonly status: number | null; readonly stdout: string } {
  return spawnSync("openssl", args, { encoding: "utf8", input });
}

function accepts(text: string): boolean {
  try {
    checkPrivateKey(new Secret(Buffer.from(text)), "k.pem");
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}

const KEYS: Readonly<Record<string, () => string>> = {
  "PKCS#8, Ed25519": () => openssl(["genpkey", "-algorithm", "ED25519"]).stdout,
  "PKCS#8, EC": () => openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]).stdout,
  "SEC 1 behind its parameters": () => openssl(["ecparam", "-name", "secp256k1", "-genkey"]).stdout,
  "PKCS#1": () => openssl(["genrsa", "-traditional", "2048"]).stdout,
  // openssl-pkcs12(1) writes the attributes of the bag before the key.
  "out of PKCS#12": () => {
    const key = openssl(["genpkey", "-algorithm", "ED25519"]).stdout;
    const bag = spawnSync("openssl", ["pkcs12", "-export", "-nocerts", "-name", "node", "-passout", "pass:"], { input: key });
    return spawnSync("openssl", ["pkcs12", "-nocerts", "-nodes", "-passin", "pass:"], { encoding: "utf8", input: bag.stdout }).stdout;
  },
};

const HARMS: Readonly<Record<string, (text: string) => string>> = {
  nothing: (text) => text,
  "carriage returns": (text) => text.replaceAll("\n", "\r\n"),
  "no last line feed": (text) => text.trimEnd(),
  "text behind it": (text) => `${text}# the key of node 7\n`,
  "a passphrase": (text) => openssl(["pkcs8", "-topk8", "-passout", "pass:x"], text).stdout,
  "its end cut off": (text) => text.slice(0, -40),
  "another character in its base64": (text) => text.replace(/KEY-----\n./, (begin) => `${begin.slice(0, -1)}!`),
  "its length wrong": (text) => text.replace(/( PRIVATE KEY|^-+BEGIN PRIVATE KEY)-----\nM/m, (begin) => `${begin.slice(0, -1)}L`),
};

test.each(Object.keys(KEYS).flatMap((key) => Object.keys(HARMS).map((harm) => [key, harm] as const)))(
  "%s, changed by %s, is taken where openssl-pkey(1) takes it without a passphrase",
  (key, harm) => {
    const text = HARMS[harm]?.(KEYS[key]?.() ?? "") ?? "";
    expect(text).toContain("PRIVATE KEY");
    expect(accepts(text)).toBe(openssl(["pkey", "-noout", "-passin", "pass:"], text).status === 0);
  },
);
