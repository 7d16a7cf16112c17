import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, relative } from "node:path";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { handedOverFiles } from "../../../src/vsock/host-actions.ts";
import { wholeCommandLine } from "../../../tools/man/manual.ts";

/** The units of a host (etc/hostos) are what the code hands over to. */

const FOLDER = "etc/hostos/systemd/system";
const units = globSync(`${FOLDER}/guestos*.service`);
const textOf = (name: string): string => readFileSync(`${FOLDER}/${name}`, "utf8");
const code = readFileSync("src/vsock/host-actions.ts", "utf8");

test("every unit that is started by name is there", () => {
  const started = [...code.matchAll(/["`]([\w-]+@?)(?:\$\{\w+\})?\.service["`]/g)].map(([, name = ""]) => `${name}.service`);
  expect(started.toSorted()).toEqual(["guestos-vsock-notice.service", "guestos-vsock-upgrade@.service"]);
  for (const name of started) expect(existsSync(`${FOLDER}/${name}`), name).toBe(true);
});

test("what is handed over is where it is looked for", () => {
  const { folder } = handedOverFiles(guestosLayout);
  expect(textOf("guestos-vsock@.service")).toContain(`\nRuntimeDirectory=${relative("/run", folder)}\n`);
  expect(textOf("guestos-vsock-upgrade@.service")).toContain(`\nEnvironmentFile=-${folder}/upgrade-%i\n`);
  expect(code).toContain("`upgrade-${hash}`");
  expect(code).toContain("environmentFile({ URL: url })");
});

test.each(
  units.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/^ExecStart=\/usr\/bin\/guestos-boot (.*)$/gm)].map(([, line = ""]) => [basename(path), line]),
  ),
)("%s: guestos-boot %s is a command, with options that it has", (_, line = "") => {
  const words = line.split(" ");
  const command = wholeCommandLine()
    .commands.flatMap((each) => [each, ...each.commands])
    .findLast((each) => each.words.every((word, index) => words[index] === word));
  const options = words.filter((word) => word.startsWith("--"));
  expect(options.filter((option) => command?.options.every(({ name }) => name !== option))).toEqual([]);
  const known = command?.words.length ?? 0;
  const values = words.slice(known).filter((word) => !word.startsWith("--"));
  const taken = options.filter((option) => command?.options.some(({ name, value }) => name === option && value === "required"));
  expect(values.length).toBe(taken.length + (command?.arguments.length ?? 0));
});
