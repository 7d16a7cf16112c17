import { expect, test } from "vitest";
import { activate, conflict, defineUnit, provision, type Plan } from "../../../src/boot/unit.ts";
import { chainCheck } from "../../../src/doctor/chain.ts";
import type { Finding, Seen } from "../../../src/doctor/check.ts";
import { CommandError } from "../../../src/system/command.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import type { GuestUnit, Machine } from "../../../src/units/machine.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { testNode } from "../../support/test-node.ts";

const nothing = async (): Promise<void> => undefined;

function unit(name: string, plan: (machine: Machine) => Promise<Plan>, requires: readonly GuestUnit[] = []): GuestUnit {
  return defineUnit<Machine>({ name, title: name, requires, plan, retryFor: 600_000 });
}

async function inspect(chain: readonly GuestUnit[], maintenance: readonly GuestUnit[] = []): Promise<Seen> {
  const host = fakeHost();
  return chainCheck.inspect(testNode(host, { chain, maintenance }), host);
}

const texts = (findings: readonly Finding[]): readonly string[] => findings.map(({ level, problem }) => `${level}: ${problem.what}`);
const well = unit("well", async () => []);

test("a chain with nothing to do is one fact", async () => {
  expect(await inspect([well, unit("other", async () => [], [well])])).toEqual({ fact: "2 units, nothing to do", findings: [] });
});

test("what a run would do is a finding, and nothing of it is done", async () => {
  const key = unit("key", async () => [
    provision("make the key", async () => Promise.reject(new Error("done"))),
    activate("show it", nothing),
  ]);
  expect((await inspect([key])).findings).toEqual([
    {
      level: "wrong",
      seen: "guestos-boot plan --unit key",
      problem: {
        code: "unit-not-done",
        what: "key is not in the state that the boot makes",
        found: "to be done: make the key; show it",
        todo: "guestos-boot --unit key",
      },
    },
  ]);
});

test("what is in the way speaks for itself, also where the unit throws it; and it is not waited for a better moment", async () => {
  const conflicting = unit("conflicting", async () =>
    conflict({ code: "test-problem", what: "something else is there", todo: "take it away" }),
  );
  const throwing = unit("throwing", async () =>
    Promise.reject(new ProblemError({ code: "test-problem", what: "there is no card" }, { retryable: true })),
  );
  const { findings } = await inspect([conflicting, throwing]);
  expect(texts(findings)).toEqual(["wrong: something else is there", "wrong: there is no card"]);
  expect(findings.map(({ problem }) => problem.todo)).toEqual(["take it away", "once that is repaired: guestos-boot --unit throwing"]);
});

test("a tool that fails, a file that cannot be read, a defect: then no one knows, which is not fine", async () => {
  const command = { program: "lvm", args: ["fullreport"] };
  const failing = [
    unit("tool", async () => Promise.reject(new CommandError(command, { kind: "exited", status: 5 }, "no"))),
    unit("file", async () => Promise.reject(Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" }))),
    unit("defect", async () => Promise.reject(new TypeError("undefined is not a function"))),
  ];
  const { findings } = await inspect(failing);
  expect(findings.map(({ level }) => level)).toEqual(["unknown", "unknown", "unknown"]);
  expect(findings.map(({ problem }) => problem.what.split(":")[0])).toEqual(["tool", "file", "defect"]);
});

test("what requires something that is wrong is named once, and not judged; what is well is not named at all", async () => {
  const disk = unit("disk", async () => [activate("open it", nothing)]);
  const volume = unit("volume", async () => [provision("make it", nothing)], [disk]);
  const mount = unit("mount", async () => Promise.reject(new Error("ENOENT")), [volume]);
  const log = unit("log", async () => [], [volume]);
  const { findings } = await inspect([well, disk, volume, mount, log, unit("other", async () => [activate("start", nothing)])]);
  expect(texts(findings)).toEqual([
    "wrong: disk is not in the state that the boot makes",
    "wrong: other is not in the state that the boot makes",
    "unknown: volume, mount require what is not as it should be",
  ]);
  expect(findings.at(-1)?.problem.expected).toBe("nothing wrong with disk");
});

test("the monitor's own units are repaired by an inspection of the monitor", async () => {
  const growth = unit("growth", async () => [provision("grow", nothing)]);
  const [finding] = (await inspect([well], [growth])).findings;
  expect(finding).toMatchObject({ problem: { todo: "guestos-boot monitor --once --unit growth" } });
});

test("what a unit says beside its plan is worth knowing, and nothing wrong", async () => {
  const noting = unit("network", async ({ note }) => {
    note("gateway is ignored");
    return [];
  });
  expect(texts((await inspect([noting])).findings)).toEqual(["notice: network: gateway is ignored"]);
});
