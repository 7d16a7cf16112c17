import { basename } from "node:path";

/** The verbs that operators and the orchestrator know from older systems, with the commands of this program. */
export const managebootVerbs: Readonly<Record<string, readonly string[]>> = {
  "upgrade-install": ["upgrade", "install"],
  "upgrade-commit": ["upgrade", "commit"],
  confirm: ["upgrade", "confirm"],
  current: ["upgrade", "current"],
  target: ["upgrade", "target"],
  next: ["upgrade", "next"],
  current_partition: ["upgrade", "current", "--partition"],
  target_partition: ["upgrade", "target", "--partition"],
};

/** The verbs of the tool by which older systems ask their host: as options, and as words since 2026. */
export const vsockGuestVerbs: Readonly<Record<string, readonly string[]>> = {
  "attach-hsm": ["host", "attach-hsm"],
  "detach-hsm": ["host", "detach-hsm"],
  "get-hostos-version": ["host", "version"],
  upgrade: ["host", "upgrade"],
  notify: ["host", "notify"],
};

/** The block that every verb works on, and that may therefore be named. */
const GRUBENV = "/boot/grub/grubenv";

/** The only verb that tells what the boot loader's block says. */
const READS_BLOCK = "next";

/** The links that the orchestrator calls (tools/install.sh). */
const ORCHESTRATORS = ["manageboot.sh", "provision-ssh-keys.sh", "guestos_tool"];

/** The words by which an image is vouched for. */
const TRUST = ["--sha256", "--signature", "--insecure"];

/**
 * Translates the command line into arguments of guestos-boot. The names of the tools of older systems are links to the program
 * (docs/orchestrator.md): `manageboot`, `manageboot.sh`, `provision-ssh-keys.sh`, `guestos_tool` and `vsock_guest`. The first one is a
 * command of the program too: `guestos-boot manageboot VERB`. What is none of their verbs stays as it is, and is refused by the parser.
 *
 * @param argv0 the name by which the program was called
 */
export function translatedArguments(argv0: string, args: readonly string[]): readonly string[] {
  switch (basename(argv0)) {
    case "manageboot":
      return manageboot(args);
    case "manageboot.sh":
      return vouchedFor(manageboot(args));
    case "provision-ssh-keys.sh":
      return ["provision-ssh-keys", ...args];
    case "guestos_tool":
      return regenerate(args);
    case "vsock_guest":
      return vsockGuest(args);
    default:
      return args[0] === "manageboot" ? manageboot(args.slice(1)) : args;
  }
}

/** The only command of guestos_tool that is known here: any other word is one too many for it. */
function regenerate(args: readonly string[]): readonly string[] {
  const [command, ...rest] = args;
  if (command === undefined) return ["regenerate-network-config", "--help"];
  return command === "regenerate-network-config" ? [command, ...rest] : ["regenerate-network-config", ...args];
}

/** `--upgrade URL --hash HASH` and its like; the words of 2026 have `--url` in front of the address. */
function vsockGuest(args: readonly string[]): readonly string[] {
  const isVerb = (word: string): boolean => Object.hasOwn(vsockGuestVerbs, word.replace(/^--/, ""));
  const at = args.findIndex(isVerb);
  const verb = vsockGuestVerbs[args[at]?.replace(/^--/, "") ?? ""] ?? ["host"];
  if (args.length === 0) return [...verb, "--help"];
  return [...verb, ...args.filter((word, index) => index !== at && word !== "--url")];
}

/** `[-f FILE] [guestos] VERB …`; the old tool required the word guestos. */
function manageboot(args: readonly string[]): readonly string[] {
  const untranslated = ["manageboot", ...args];
  const [file, words] = args[0] === "-f" ? [args[1], args.slice(2)] : [undefined, args];
  if (args[0] === "-f" && file === undefined) return untranslated;
  const [verb = "", ...rest] = words[0] === "guestos" ? words.slice(1) : words;
  const known = Object.hasOwn(managebootVerbs, verb) ? managebootVerbs[verb] : undefined;
  if (known === undefined) return untranslated;
  if (file === undefined || file === GRUBENV) return [...known, ...rest];
  return verb === READS_BLOCK ? [...known, "--grubenv", file, ...rest] : untranslated;
}

/**
 * The orchestrator has compared the hash of a file before it hands it over, and may not name it again. This holds for a file alone, and for
 * the name by which the orchestrator calls: sudo lets no one else use it.
 */
function vouchedFor(args: readonly string[]): readonly string[] {
  const [, verb, image = ""] = args;
  const isInstall = args[0] === "upgrade" && verb === "install" && image.startsWith("/");
  return isInstall && !args.some((word) => TRUST.some((trust) => word === trust || word.startsWith(`${trust}=`)))
    ? [...args, "--insecure"]
    : args;
}

/** @returns the path of the link by which the orchestrator called, as sudoers names it; `undefined` for any other name */
export function calledByOrchestrator(argv0: string): string | undefined {
  const name = basename(argv0);
  return ORCHESTRATORS.includes(name) ? `/opt/ic/bin/${name}` : undefined;
}
