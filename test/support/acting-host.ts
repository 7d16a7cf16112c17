import { join } from "node:path";
import { type Command, CommandError } from "../../src/system/command.ts";
import { fakeHost, type FakeHost, type FakeMachine } from "./fake-host.ts";

/** What a tool does to the machine in memory; its answer is its standard output. */
export type ToolAction = (host: FakeHost, command: Command) => string | void;

/** A machine in memory whose tools act on its files. A tool that is not listed is one that the test did not plan. */
export function actingHost(machine: FakeMachine, tools: Readonly<Record<string, ToolAction>>): FakeHost {
  const host = fakeHost(machine);
  return {
    ...host,
    async run(command) {
      const tool = tools[command.program];
      if (tool === undefined) return host.run(command);
      host.effects.push(`run ${command.program}`);
      return { status: 0, stdout: tool(host, command) ?? "", stderr: "" };
    },
  };
}

/** A tool that always ends like that. */
export function failing(status: number, stderr: string): ToolAction {
  return (_, command) => {
    throw new CommandError(command, { kind: "exited", status }, stderr);
  };
}

const MOUNTINFO = "/proc/self/mountinfo";

/** What /proc/self/mountinfo says of a root and a tmpfs at /run. */
export const ROOT_AND_RUN = "22 1 254:5 / / ro - ext4 /dev/vda5 ro\n24 22 0:23 / /run rw - tmpfs tmpfs rw\n";

/** mount(8) for bind mounts of what is below /run: the mount table then has them. */
export const bindingMount: ToolAction = (host, { args }) => {
  const [source = "", target = ""] = args.slice(-2);
  const table = host.files.get(MOUNTINFO)?.toString() ?? "";
  host.files.set(MOUNTINFO, `${table}30 22 0:23 ${source.slice("/run".length)} ${target} ro - tmpfs tmpfs rw\n`);
};

/** umount(8): takes the topmost mount there out of the table. */
export const unmountingUmount: ToolAction = (host, { args }) => {
  const lines = (host.files.get(MOUNTINFO)?.toString() ?? "").split("\n");
  const at = lines.findLastIndex((line) => line.split(" ")[4] === args.at(-1));
  host.files.set(MOUNTINFO, lines.toSpliced(at, at === -1 ? 0 : 1).join("\n"));
};

/** The files of a machine below a folder, by their path in it, as text. */
export function filesBelow(host: FakeHost, folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...host.files]
      .filter(([path]) => path.startsWith(join(folder, "/")))
      .map(([path, content]) => [path.slice(folder.length + 1), Buffer.from(content).toString()]),
  );
}
