import { expect, test } from "vitest";
import { boundary } from "../support/chains.ts";
import { get, installPrograms, installProgramsInRoot, throughSocks } from "../vm/support/boundary.ts";
import { guestosBoot, recordOf, runDocument } from "../vm/support/chain.ts";
import { lastingState } from "../vm/support/lasting-state.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf } from "../vm/support/node.ts";
import { DOMAIN, expectWell, NAME, node, POLLING, putCertificate, putVars, second, shown, target, VARS } from "../vm/boundary/story.ts";

/** What test/vm/boundary.test.ts has no time for: a program that does not start, and the node's reboot. */

test("one that ends at once is told with its own words, by the run, status and doctor; and is repaired by the next run", () =>
  node.use(async (vm) => {
    await installPrograms(vm);
    await putVars(vm, `${VARS}application_domains=refused.example.org\n`);
    const run = await guestosBoot(vm, "--wait 120 --unit icx-proxy --json");
    expect(run.status).toBe(10);
    const told = { what: expect.stringMatching(/^cannot (?:re)?start icx-proxy\.service$/), todo: "journalctl -b -u icx-proxy.service" };
    const unit = runDocument(run).units.find(({ name }) => name === "icx-proxy");
    expect(unit?.problem).toMatchObject(told);
    expect(unit?.problem?.found).toContain("cannot work with --address 127.0.0.1:3000");
    // As long as the monitor takes up the same file for nginx and danted, a run is under way.
    await expect.poll(async () => (await guestosBoot(vm, "status")).status, POLLING).toBe(10);
    const status = await guestosBoot(vm, "status --json");
    expect(runDocument(status).units.find(({ name }) => name === "icx-proxy")?.problem).toMatchObject(told);
    const doctor = await guestosBoot(vm, "doctor");
    expect(doctor.status).toBe(17);
    expect(doctor.stdout).toContain("icx-proxy is not in the state that the boot makes");
    // It is no one else's trouble.
    expect((await get(vm, DOMAIN, "/health")).status).toBe(204);
    await putVars(vm, VARS);
    expect((await guestosBoot(vm, "--wait 120 --unit icx-proxy")).status).toBe(0);
    await expect.poll(async () => (await guestosBoot(vm, "status")).status, POLLING).toBe(0);
  }));

let before: Awaited<ReturnType<typeof lastingState>> = {};

/** The same disk without the medium, after a reboot that the guest was asked for; the image now has the programs. */
const rebooted = bootedNode(() =>
  node.use(async (vm) => {
    await putCertificate(vm, second);
    before = await lastingState(vm);
    await installProgramsInRoot(vm);
    await vm.qmp("set-action", { reboot: "shutdown" });
    await vm.shell.run("systemctl --no-block reboot");
    await vm.waitForSerial(/reboot: Restarting system/, { timeout: BOOT_TIMEOUT });
    await vm.ended;
    return { name: "boundary-node-rebooted", profile: "boundary", disk: diskOf(NAME), boot: "unverified" };
  }),
);

test("after a reboot every unit is unchanged, and all that is served is served again", () =>
  rebooted.use(async (vm) => {
    const units = (await recordOf(vm)).runs.flatMap((run) => run.units);
    expect([...new Set(units.map(({ name }) => name))].toSorted()).toEqual(boundary.map(({ name }) => name).toSorted());
    expect(units.filter(({ result }) => result?.kind !== "unchanged")).toEqual([]);
    expect(units.flatMap(({ notes }) => notes)).toEqual([]);
    expect(await get(vm, DOMAIN, "/health")).toMatchObject({ status: 204, fingerprint: shown(second) });
    expect((await get(vm, DOMAIN, "/args")).status).toBe(200);
    expect(await throughSocks(vm, "10.0.2.2", target.port)).toBe("hello");
    await expectWell(vm);
    expect(await lastingState(vm)).toEqual(before);
  }));
