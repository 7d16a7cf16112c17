import { readFile } from "node:fs/promises";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import type { RootFile } from "./changed-root.ts";

/** What /etc/guestos-boot holds of a node's own. */

const OWN = "/etc/guestos-boot";

/** The extra unit that docs/extra-units.md has for an example, as it is there. */
export async function exampleUnit(): Promise<readonly RootFile[]> {
  const document = await readFile("docs/extra-units.md", "utf8");
  const example = (language: "yaml" | "bash"): string => {
    const [, text] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(document) ?? [];
    if (text === undefined) throw new Error(`docs/extra-units.md has no example in ${language}`);
    return text;
  };
  return [
    { path: `${OWN}/units.d/greeting/unit.yaml`, mode: "0644", content: example("yaml") },
    { path: `${OWN}/units.d/greeting/greeting`, mode: "0755", content: example("bash") },
  ];
}

export function configFile(content: string): RootFile {
  return { path: `${OWN}/config.yaml`, mode: "0644", content };
}

/** Writes them while they may take effect at once: in a machine whose root is not verified. By hand, as nothing of ours does. */
export async function writeOwn(vm: VirtualMachine, files: readonly RootFile[]): Promise<void> {
  const put = ({ path, mode, content }: RootFile): string => {
    const encoded = Buffer.from(content).toString("base64");
    return `mkdir -p $(dirname ${path}) && echo ${encoded} | base64 -d >${path} && chmod ${mode} ${path}`;
  };
  await vm.shell.ok(["mount -o remount,rw /", ...files.map(put), "sync && mount -o remount,ro /"].join(" && "));
}
