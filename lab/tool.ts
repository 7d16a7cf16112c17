import { runCommand, type Command, type Completed } from "../src/system/command.ts";

type Options = Omit<Command, "program" | "args"> & { readonly signal?: AbortSignal };

/** Runs one of the host's tools (qemu-img, mkfs.vfat, ssh-keygen) to its end. @throws CommandError */
export function tool(program: string, args: readonly string[], { signal, ...options }: Options = {}): Promise<Completed> {
  return runCommand({ program, args, ...options }, signal ?? new AbortController().signal);
}
