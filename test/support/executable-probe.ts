import { argon2id } from "../../src/system/argon2.ts";
import { Secret } from "../../src/base/secret.ts";
import { version } from "../../src/cli/version.ts";

/** A program to make an executable of: says what a program inside one sees (test/system/tools/executable.test.ts). */
async function probe(): Promise<void> {
  const key = await argon2id(new Secret(Buffer.alloc(32, 1)), {
    salt: Buffer.alloc(16, 2),
    memoryKiB: 32,
    passes: 3,
    parallelism: 4,
    length: 32,
  });
  const { sessionBus } = await import("dbus-next");
  const facts = {
    version,
    args: process.argv.slice(2),
    key: Buffer.from(key.expose()).toString("hex"),
    dbus: typeof sessionBus,
    interpreterOptions: process.execArgv,
  };
  process.stdout.write(JSON.stringify(facts));
  if (facts.args.includes("--stay")) process.stdin.resume();
}

void probe();
