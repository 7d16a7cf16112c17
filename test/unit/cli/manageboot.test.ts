import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { calledByOrchestrator, managebootVerbs, translatedArguments, vsockGuestVerbs } from "../../../src/cli/manageboot.ts";
import { wholeCommandLine } from "../../../tools/man/manual.ts";

test("the old verbs mean the same by name of the program, as a command, and after the word guestos", () => {
  for (const [argv0, args] of [
    ["manageboot", ["upgrade-commit", "--no-reboot"]],
    ["/usr/bin/manageboot", ["guestos", "upgrade-commit", "--no-reboot"]],
    ["guestos-boot", ["manageboot", "upgrade-commit", "--no-reboot"]],
  ] as const) {
    expect(translatedArguments(argv0, args)).toEqual(["upgrade", "commit", "--no-reboot"]);
  }
});

test("what is no old verb is left for the parser to refuse, and nothing else is touched", () => {
  expect(translatedArguments("manageboot", ["toString"])).toEqual(["manageboot", "toString"]);
  expect(translatedArguments("manageboot", [])).toEqual(["manageboot"]);
  expect(translatedArguments("node", ["run", "confirm"])).toEqual(["run", "confirm"]);
});

test("every old verb is a command here", () => {
  const upgrade = wholeCommandLine().commands.find(({ words }) => words[0] === "upgrade");
  const commands = upgrade?.commands.map(({ words }) => words);
  for (const words of Object.values(managebootVerbs)) expect(commands).toContainEqual(words.slice(0, 2));
});

test.each([
  [["current"], ["upgrade", "current"]],
  [
    ["guestos", "current_partition"],
    ["upgrade", "current", "--partition"],
  ],
  [
    ["guestos", "target_partition", "--json"],
    ["upgrade", "target", "--partition", "--json"],
  ],
  [
    ["-f", "/boot/grub/grubenv", "guestos", "confirm"],
    ["upgrade", "confirm"],
  ],
  [
    ["-f", "/tmp/block", "guestos", "next"],
    ["upgrade", "next", "--grubenv", "/tmp/block"],
  ],
  // What would write to another block than the boot loader's, or is for a host, is refused by the parser.
  [
    ["-f", "/tmp/block", "guestos", "confirm"],
    ["manageboot", "-f", "/tmp/block", "guestos", "confirm"],
  ],
  [["-f"], ["manageboot", "-f"]],
  [
    ["hostos", "confirm"],
    ["manageboot", "hostos", "confirm"],
  ],
  [
    ["guestos", "hostos", "confirm"],
    ["manageboot", "guestos", "hostos", "confirm"],
  ],
  [
    ["guestos", "__proto__"],
    ["manageboot", "guestos", "__proto__"],
  ],
])("manageboot %j", (args, translated) => {
  expect(translatedArguments("/opt/ic/bin/manageboot.sh", args)).toEqual(translated);
});

test("the orchestrator vouches for a file that it hands over, unless it says more; no one vouches for anything else", () => {
  const install = (...args: readonly string[]): readonly string[] =>
    translatedArguments("/opt/ic/bin/manageboot.sh", ["guestos", "upgrade-install", ...args]).slice(2);
  expect(install("/image.tar")).toEqual(["/image.tar", "--insecure"]);
  for (const trust of [["--sha256", "abc"], ["--sha256=abc"], ["--signature", "/sig"], ["--insecure"]]) {
    expect(install("/image.tar", ...trust)).toEqual(["/image.tar", ...trust]);
  }
  for (const other of [["https://example.org/image.tar"], ["-"], ["image.tar"], []]) expect(install(...other)).toEqual(other);
  expect(translatedArguments("manageboot", ["upgrade-install", "/image.tar"])).toEqual(["upgrade", "install", "/image.tar"]);
});

test("the other names of the orchestrator are commands here, and what they do not know is refused", () => {
  expect(translatedArguments("/opt/ic/bin/provision-ssh-keys.sh", ["readonly"])).toEqual(["provision-ssh-keys", "readonly"]);
  const asked = ["regenerate-network-config", "--ipv4-address=192.0.2.17"];
  expect(translatedArguments("guestos_tool", asked)).toEqual(asked);
  expect(translatedArguments("guestos_tool", ["run"])).toEqual(["regenerate-network-config", "run"]);
  expect(translatedArguments("guestos_tool", [])).toEqual(["regenerate-network-config", "--help"]);
});

test.each([
  [["--attach-hsm"], ["host", "attach-hsm"]],
  [["--detach-hsm"], ["host", "detach-hsm"]],
  [
    ["--port", "19091", "--get-hostos-version"],
    ["host", "version", "--port", "19091"],
  ],
  [
    ["--upgrade", "https://host/i", "--hash", "ab"],
    ["host", "upgrade", "https://host/i", "--hash", "ab"],
  ],
  [
    ["--notify", "upgrade now", "--count", "2"],
    ["host", "notify", "upgrade now", "--count", "2"],
  ],
  [
    ["--notify", "upgrade"],
    ["host", "notify", "upgrade"],
  ],
  // The words of 2026.
  [["attach-hsm"], ["host", "attach-hsm"]],
  [
    ["upgrade", "--url", "https://host/i", "--hash", "ab"],
    ["host", "upgrade", "https://host/i", "--hash", "ab"],
  ],
  // What it did not have is refused by the parser.
  [["--reboot"], ["host", "--reboot"]],
  [[], ["host", "--help"]],
])("vsock_guest %j", (args, translated) => {
  expect(translatedArguments("/opt/ic/bin/vsock_guest", args)).toEqual(translated);
});

test("every verb of vsock_guest is a command here", () => {
  const host = wholeCommandLine().commands.find(({ words }) => words[0] === "host");
  const commands = host?.commands.map(({ words }) => words);
  for (const words of Object.values(vsockGuestVerbs)) expect(commands).toContainEqual(words);
});

test("only the names that sudo knows become root by themselves", () => {
  // sudoers(5): a command with a regular expression for its arguments.
  const sudoers = readFileSync("etc/guestos/sudoers.d/guestos-orchestrator", "utf8").replaceAll(/^#.*$/gm, "");
  const allowed = new Set([...sudoers.matchAll(/(\/\S+) \^/g)].map(([, command]) => command));
  expect(new Set(["manageboot.sh", "provision-ssh-keys.sh", "guestos_tool"].map(calledByOrchestrator))).toEqual(allowed);
  for (const name of ["guestos-boot", "/usr/bin/manageboot", "sh"]) expect(calledByOrchestrator(name)).toBeUndefined();
});
