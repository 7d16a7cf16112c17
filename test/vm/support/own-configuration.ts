import { readFile } from "node:fs/promises";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** What /etc/guestos-boot holds of a node's own. The root is written by hand, as an operator repairs it: nothing of ours does. */

const OWN = "/etc/guestos-boot";

/** A file below that folder. */
interface OwnFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
}

/** The extra unit that docs/extra-units.md has for an example, as it is there. */
export async function exampleUnit(): Promise<readonly OwnFile[]> {
  const document = await readFile("docs/extra-units.md", "utf8");
  const example = (language: "yaml" | "bash"): string => {
    const [, text] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(document) ?? [];
    if (text === undefined) throw new Error(`docs/extra-units.md has no example in ${language}`);
    return text;
  };
  return [
    { path: "units.d/greeting/unit.yaml", mode: "0644", content: example("yaml") },
    { path: "units.d/greeting/greeting", mode: "0755", content: example("bash") },
  ];
}

export function configFile(content: string): OwnFile {
  return { path: "config.yaml", mode: "0644", content };
}

export async function writeOwn(vm: VirtualMachine, files: readonly OwnFile[]): Promise<void> {
  const put = ({ path, mode, content }: OwnFile): string => {
    const encoded = Buffer.from(content).toString("base64");
    return `mkdir -p $(dirname ${OWN}/${path}) && echo ${encoded} | base64 -d >${OWN}/${path} && chmod ${mode} ${OWN}/${path}`;
  };
  await vm.shell.ok(["mount -o remount,rw /", ...files.map(put), "sync && mount -o remount,ro /"].join(" && "));
}
