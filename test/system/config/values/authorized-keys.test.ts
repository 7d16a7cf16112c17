import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAuthorizedKeys } from "../../../../src/config/values/authorized-keys.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { type Server, sshServer } from "../../../support/open-ssh.ts";

function accepts(text: string): boolean {
  try {
    return parseAuthorizedKeys(Buffer.from(text), "admin").length > 0;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}

describe("options are taken exactly where sshd takes them:", () => {
  let server: Server;
  let publicLine: string;

  beforeAll(async () => {
    const folder = namespaceRoot();
    const [key, hostKey] = ["key", "host_key"].map((name) => {
      const file = join(folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file]);
      return file;
    });
    if (key === undefined || hostKey === undefined) throw new Error("no keys");
    publicLine = readFileSync(`${key}.pub`, "utf8").trim();
    server = await sshServer(folder, { hostKey, key });
  });

  afterAll(async () => server.stop());

  test.each(
    [
      ...["restrict", "RESTRICT", "verify-required", "no-pty,no-user-rc", "restrict,", ",restrict", "no-restrict", "restricted", "no-x"],
      // addrmatch.c, addr_match_list; addr.c, addr_pton_cidr.
      ...[
        "10.0.0.0/8",
        "10.0.0.1/8",
        "10.0.0.0/99",
        "10.0.0.0/33",
        "10.0.0.0/129",
        "10.0.0.0/200",
        "10.0.0.0/032",
        "0.0.0.0/0",
        "10.0.0.0/0",
      ],
      ...[
        "10.0.0.1",
        "10.0.0.1/32",
        "10/8",
        "10.0/8",
        "192.168/16",
        "10.1.0/24",
        "0x0a000000/8",
        "010.0.0.0/8",
        "08.0.0.0/8",
        "167772160/8",
      ],
      ...[
        "2001:db8::/32",
        "2001:db8::1/32",
        "2001:db8::1",
        "::/0",
        "::1/0",
        "2001:db8::/129",
        "::ffff:10.0.0.0/104",
        "::ffff:10.0.0.1/104",
      ],
      ...[
        "*.example.org",
        "host/8",
        "10.*",
        "10.0.0.0/",
        "/8",
        "!10.0.0.1",
        "!",
        "!!10.0.0.1",
        "!10.0.0.1/8",
        "",
        "1.2.3.4.5/8",
        "300.0.0.0/8",
      ],
      ...["10.0.0.0./8", "1e3/8", "256/8", "0.0.0.256/32", "fe80::/10", "FE80::1/10", `${"0".repeat(64)}10/8`, `${"0".repeat(55)}10/8`],
    ].map((text) => [/^[,A-Za-z-]*$/.test(text) && text !== "" ? text : `from="127.0.0.1,${text}"`]),
  )("%s", (options) => {
    const line = `${options} ${publicLine}\n`;
    expect(accepts(line)).toBe(server.letsIn(line));
  });

  test.each(
    [
      ...['from=""', 'from="127.0.0.1",from="127.0.0.1"', 'from="127.0.0.1",no-pty,FROM="127.0.0.1"', "from=127.0.0.1"],
      // misc.c, parse_absolute_time.
      ...["20991231", "20991231Z", "20991231z", "20991231UTC", "20991301", "20990001", "20990132", "20990100", "20990231", "20990431"],
      ...["209901012359", "209901012400", "209901012360", "20990101235960", "20990101235961", "20990101235962", "2099010112", "99991231"],
      ...["2099", "20990101T", "209901011200Z", "2099-01-01"],
    ].map((text) => [/^\d/.test(text) ? `expiry-time="${text}"` : text]),
  )("%s", (options) => {
    const line = `${options} ${publicLine}\n`;
    expect(accepts(line)).toBe(server.letsIn(line));
  });

  test("carriage returns", () => {
    const file = `# who may log in\r\n${publicLine}\r\n`;
    expect([accepts(file), server.letsIn(file)]).toEqual([true, true]);
    const bare = file.replace(" test", "");
    expect([accepts(bare), server.letsIn(bare)]).toEqual([true, true]);
  });

  test("what a byte order mark would have cost, it does not", () => {
    const file = `\ufeff${publicLine}\n`;
    expect([accepts(file), server.letsIn(file)]).toEqual([true, false]);
    const [key] = parseAuthorizedKeys(Buffer.from(file), "admin");
    expect(server.letsIn(`${key?.type} ${key?.blob}\n`)).toBe(true);
  });
});

describe("a blob is taken exactly where OpenSSH takes it (sshkey.c, sshkey_read):", () => {
  /** The lines, counted from 0, that ssh-keygen -l takes for public keys; the comment says which one it is. */
  function takenByKeygen(lines: readonly string[]): ReadonlySet<number> {
    const file = join(namespaceRoot(), "keys.pub");
    writeFileSync(file, lines.map((line, index) => `${line} line${index}\n`).join(""));
    const { stdout } = spawnSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
    return new Set([...stdout.matchAll(/ line(\d+) \(/g)].map(([, index]) => Number(index)));
  }

  function keys(): readonly (readonly [type: string, blob: Buffer])[] {
    const made = (["ed25519", "ecdsa", "rsa"] as const).map((type) => makeHostKey(type).publicLine.split(" "));
    const plain = made.map(([type = "", blob = ""]) => [type, Buffer.from(blob, "base64")] as const);
    const tokens = plain
      .filter(([type]) => type !== "ssh-rsa")
      .map(([type, blob]) => {
        const token = `sk-${type}@openssh.com`;
        const name = Buffer.from(token);
        const length = Buffer.of(0, 0, 0, name.length);
        return [token, Buffer.concat([length, name, blob.subarray(4 + type.length), Buffer.from("\0\0\0\x04ssh:")])] as const;
      });
    return [...plain, ...tokens];
  }

  test.each(keys())("%s, with every byte changed, left out, and put in", (type, blob) => {
    const changed = [...blob.keys()].flatMap((at) => {
      const [before, byte, after] = [blob.subarray(0, at), blob.readUInt8(at), blob.subarray(at + 1)];
      const bytes = [[byte ^ 1], [byte ^ 0x80], [0], [], [byte, 0], [byte, 0xff]];
      return bytes.map((given) => Buffer.concat([before, Buffer.from(given), after]));
    });
    const lines = [blob, ...changed, blob.subarray(0, -1), Buffer.concat([blob, Buffer.of(0)])].map(
      (bytes) => `${type} ${bytes.toString("base64")}`,
    );
    const taken = takenByKeygen(lines);
    expect(taken.has(0)).toBe(true);
    expect(taken.size).toBeLessThan(lines.length);
    expect(lines.filter((line, index) => accepts(line) !== taken.has(index))).toEqual([]);
  });
});
