import { expect, test } from "vitest";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { hostStatus } from "../../../src/run/host-status.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import type { Command } from "../../../src/system/command.ts";
import type { Host } from "../../../src/system/host.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { EventScript } from "../../support/record-events.ts";

const ADDRESS = "vsock:2:1234";

interface Told {
  readonly sent: (readonly string[])[];
  readonly complaints: string[];
}

/** Plays events of a run to a host that hears them, or answers with an error. */
async function tell(
  events: readonly RecordEvent[],
  { address = ADDRESS, deaf = false, before = [] as readonly RecordEvent[] } = {},
): Promise<Told> {
  const told: Told = { sent: [], complaints: [] };
  const record = [...before, ...events].map((event) => JSON.stringify(event)).join("\n");
  const files = {
    "/run/guestos-boot/record.jsonl": `${record}\n`,
    ...(address === "" ? {} : { "/run/credentials/@system/vmm.notify_socket": address }),
  };
  const host: Host = {
    ...fakeHost({ files }),
    run: async ({ args, env }: Command) => {
      expect(env).toEqual({ NOTIFY_SOCKET: address });
      told.sent.push(args.slice(1));
      if (deaf) throw new ProblemError({ code: "test-problem", what: "no one listens" });
      return { status: 0, stdout: "", stderr: "" };
    },
  };
  const status = hostStatus(host, guestosLayout, { print: () => undefined, complain: (text) => told.complaints.push(text), colour: false });
  for (const event of events) status.sink(event);
  await status.close();
  return told;
}

function run(
  name: "boot" | "early" | undefined,
  outcome: "done" | "failed",
  onFailure: "stop" | "degrade" = "stop",
): readonly RecordEvent[] {
  const unit = `${name}-unit`;
  const script = new EventScript([{ name: unit, onFailure }], { stage: name });
  script.unit(0, unit);
  if (outcome === "done") script.ended(1, unit, { kind: "unchanged", activated: [] });
  else script.ended(1, unit, { kind: onFailure === "stop" ? "failed" : "degraded", problem: { code: "test-problem", what: "no\ndisk" } });
  return script.finish(1, outcome).events;
}

test("a boot is told as it begins and ends, and that the node is ready once it has ended well", async () => {
  const { sent } = await tell(run("boot", "done"));
  expect(sent).toEqual([
    ["STATUS=guestos-boot: boot: started"],
    [
      "READY=1",
      "STATUS=guestos-boot: boot: 1 unit: 0 changed, 1 unchanged, 0 degraded, 0 failed, 0 skipped in 1.0 s",
      "X_GUESTOS_BOOT=done",
    ],
  ]);
});

test("a failure is told as it happens, and a boot that failed is never ready", async () => {
  const { sent } = await tell(run("boot", "failed"));
  expect(sent).toHaveLength(3);
  expect(sent[1]).toEqual(["STATUS=guestos-boot: boot-unit failed: no disk"]);
  expect(sent[2]).not.toContain("READY=1");
  expect(sent[2]).toContain("X_GUESTOS_BOOT=failed");
});

test("a good run of the boot after another unit had failed is a boot that failed", async () => {
  const { sent } = await tell(run("boot", "done"), { before: run("early", "failed") });
  expect(sent.at(-1)).toContain("X_GUESTOS_BOOT=failed");
  expect(sent.at(-1)).not.toContain("READY=1");
});

test("a degraded boot is ready, and says that it is degraded", async () => {
  const { sent } = await tell(run("boot", "failed", "degrade"));
  expect(sent.at(-1)).toEqual(expect.arrayContaining(["READY=1", "X_GUESTOS_BOOT=degraded"]));
});

test("what an operator runs is no news for the host, and a host that gave no address hears nothing", async () => {
  expect((await tell(run(undefined, "failed"))).sent).toEqual([]);
  expect((await tell(run("early", "failed"))).sent).toEqual([]);
  expect((await tell(run("boot", "failed"), { address: "" })).sent).toEqual([]);
});

test("a host that does not answer is tried once, and that is said once", async () => {
  const { sent, complaints } = await tell(run("boot", "failed"), { deaf: true });
  expect(sent).toHaveLength(1);
  expect(complaints).toEqual(["the host was not notified of the boot's state: no one listens"]);
});
