import { parseGrubenv, savedByGrub } from "../../src/upgrade/grubenv.ts";

/** How a run of a GRUB script ended: what it boots, or that it restarts the machine. */
export interface ScriptEnd {
  readonly kernel: string | undefined;
  readonly variables: ReadonlyMap<string, string>;
  readonly block: Uint8Array | undefined;
}

/**
 * Runs the little of GRUB's script language that image/grub.cfg uses, on a block. What it does not know it refuses, so that a
 * change of that file cannot be passed over: `set`, `if`/`elif`/`else`/`fi`, `[ A = B ]`, load_env and save_env of named
 * variables; commands that only show something, or that find the disk, answer as on a machine that works.
 */
export function runGrubScript(script: string, given: Uint8Array | undefined): ScriptEnd {
  const variables = new Map([["root", "hd0,gpt1"]]);
  let block = given;
  let kernel: string | undefined;
  const lines = script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

  const expanded = (word: string): string =>
    word.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => variables.get(name) ?? "").replaceAll('"', "");
  const words = (line: string): readonly string[] => (line.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map(expanded);
  const run = (line: string): boolean => {
    const [command = "", ...args] = words(line);
    switch (command) {
      case "set": {
        const [name = "", ...value] = args.join(" ").split("=");
        variables.set(name, value.join("="));
        return true;
      }
      case "[":
        if (args[1] !== "=" || args[3] !== "]") throw new Error(`what does this compare? ${line}`);
        return args[0] === args[2];
      case "regexp":
        variables.set("disk", "hd0");
        return true;
      case "load_env": {
        const names = args.slice(2);
        for (const { name, value } of parseGrubenv(block, []).variables) if (names.includes(name)) variables.set(name, value);
        return parseGrubenv(block, []).readable;
      }
      case "save_env": {
        const values = args.slice(2).map((name) => [name, variables.get(name) ?? ""] as const);
        block = block === undefined ? undefined : savedByGrub(block, values);
        return true;
      }
      case "source":
        variables.set("boot_args_A", "of A").set("boot_args_B", "of B");
        return true;
      case "linux":
        kernel = `${variables.get("root")} ${args.slice(1).join(" ")}`;
        return true;
      case "serial":
      case "terminal_input":
      case "terminal_output":
      case "echo":
      case "initrd":
      case "boot":
      case "sleep":
      case "reboot":
        return true;
      default:
        throw new Error(`this test knows no GRUB command ${command}`);
    }
  };

  let at = 0;
  /** Runs, or passes over, the lines up to one that ends the block, which it returns. */
  const body = (active: boolean): string => {
    for (;;) {
      const line = lines[at++];
      if (line === undefined || line === "else" || line === "fi" || line.startsWith("elif ")) return line ?? "";
      if (line.startsWith("if ")) branches(line.slice("if ".length), active);
      else if (active && kernel === undefined) run(line);
      else if (active && !/^(boot|echo .*|sleep \d+|reboot)$/.test(line)) throw new Error(`after the kernel was loaded: ${line}`);
    }
  };
  const branches = (first: string, active: boolean): void => {
    let open = active;
    let condition: string | undefined = first;
    for (;;) {
      const holds: boolean = open && (condition === undefined || run(condition.replace(/; then$/, "")));
      const end = body(holds);
      if (holds) open = false;
      if (end === "fi") return;
      condition = end === "else" ? undefined : end.slice("elif ".length);
    }
  };
  body(true);
  return { kernel, variables, block };
}
