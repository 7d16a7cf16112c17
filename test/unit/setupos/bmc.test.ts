import { expect, test } from "vitest";
import { askBmc } from "../../../src/setupos/bmc.ts";
import { CommandError } from "../../../src/system/command.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { BMC, lanPrint } from "../../support/node-machines.ts";

const OTHER = "3c:ec:ef:6b:37:99";
const answering = (
  answer: Parameters<typeof fakeHost>[0] extends infer _
    ? string | { readonly status: number; readonly stdout?: string; readonly stderr?: string }
    : never,
) => fakeHost({ commands: { "ipmitool lan print": answer } });

test.each([
  ["well", lanPrint(BMC)],
  ["badly, after a good answer", { status: 1, stdout: lanPrint(BMC.toUpperCase()), stderr: "Get HPM.x Capabilities request failed" }],
])("what ipmitool prints counts, also where it ends %s", async (_, answer) => {
  expect(await askBmc(answering(answer), undefined)).toEqual({ mgmtMac: BMC, warnings: [], unknown: [] });
});

test.each([
  ["no BMC", { status: 1, stderr: "Could not open device at /dev/ipmi0: No such file or directory" }, "bmc-not-read", 3],
  ["zeros", lanPrint("00:00:00:00:00:00"), "bmc-address-none", 1],
  ["nonsense", lanPrint("\u001b[2Jpwned"), "bmc-address-none", 1],
] as const)("%s is not known, and said", async (_, answer, code, tries) => {
  const host = answering(answer);
  const { mgmtMac, unknown } = await askBmc(host, undefined);
  expect([mgmtMac, unknown.map((problem) => problem.code)]).toEqual([undefined, [code]]);
  expect(JSON.stringify(unknown)).not.toContain("\u001b");
  expect(host.effects.length).toBe(tries);
});

test.each([
  ["not-found", 1],
  ["timed-out", 3],
] as const)("a tool that ends with %s has its tries", async (kind, most) => {
  let tries = 0;
  const host = fakeHost();
  const failing = {
    ...host,
    run: async (command: Parameters<typeof host.run>[0]) => {
      tries += 1;
      throw new CommandError(command, kind === "not-found" ? { kind } : { kind, after: command.timeout ?? 0 }, "");
    },
  };
  const { unknown } = await askBmc(failing, undefined);
  expect([unknown.length, tries]).toEqual([1, most]);
});

test("one that hangs once is asked again", async () => {
  const host = answering(lanPrint(BMC));
  let hangs = true;
  const { mgmtMac } = await askBmc(
    {
      ...host,
      run: async (command) => {
        if (!hangs) return host.run(command);
        hangs = false;
        throw new CommandError(command, { kind: "timed-out", after: command.timeout ?? 0 }, "");
      },
    },
    undefined,
  );
  expect(mgmtMac).toBe(BMC);
});

test("deployment.json counts; another address of the BMC is told, and none is needed", async () => {
  expect(await askBmc(answering({ status: 1 }), OTHER)).toEqual({ mgmtMac: OTHER, warnings: [], unknown: [] });
  expect(await askBmc(answering(lanPrint(OTHER)), OTHER)).toEqual({ mgmtMac: OTHER, warnings: [], unknown: [] });
  const { mgmtMac, warnings } = await askBmc(answering(lanPrint(BMC)), OTHER);
  expect([mgmtMac, warnings.map(({ code, found, expected }) => [code, found, expected])]).toEqual([
    OTHER,
    [["bmc-address-other", BMC, OTHER]],
  ]);
});
