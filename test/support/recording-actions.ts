import type { HostActions } from "../../src/vsock/host-actions.ts";

/** A host that does nothing, and writes down what it was asked for. */
export function recordingActions(changed: Partial<HostActions> = {}): HostActions & { readonly done: readonly unknown[] } {
  const done: unknown[] = [];
  const record =
    (name: string) =>
    async (data?: unknown): Promise<void> =>
      void done.push(data === undefined ? name : { [name]: data });
  return {
    done,
    version: async () => "7b4c1d6e",
    show: record("show"),
    hsm: record("hsm"),
    upgrade: record("upgrade"),
    ...changed,
  };
}
