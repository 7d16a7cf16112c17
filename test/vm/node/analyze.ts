import { guestos } from "../../support/chains.ts";
import { describe, expect, test } from "vitest";
import * as z from "../../../src/base/schema.ts";
import { CriticalChainDocument, TimeDocument } from "../../../src/analyze/documents.ts";
import type { TraceEvent } from "../../../src/analyze/trace.ts";
import { traceFaults } from "../../support/trace-faults.ts";
import { guestosBoot } from "../support/chain.ts";
import { BOOT_TIMEOUT, untilBooted } from "../support/node.ts";
import { node } from "./story.ts";

/** What its events have to be, `traceFaults` inspects. */
const Trace = z.object({ traceEvents: z.array(z.custom<TraceEvent>((event) => typeof event === "object" && event !== null)) });

const sum = (list: readonly { readonly seconds: number }[]): number => list.reduce((total, { seconds }) => total + seconds, 0);

describe("analyze", () => {
  test("analyze accounts for the whole boot, within 1 % of what systemd measured, and draws it; why tells of a unit", () =>
    node.use(async (vm) => {
      await untilBooted(vm);
      const clock = async (name: string): Promise<number> => Number(await vm.shell.ok(`systemctl show -P ${name}TimestampMonotonic`)) / 1e6;
      const wall = (await clock("Firmware")) + (await clock("Finish"));
      const time = TimeDocument.parse(await vm.shell.json("guestos-boot analyze time --json", { timeout: BOOT_TIMEOUT }));
      const chain = CriticalChainDocument.parse(
        await vm.shell.json("guestos-boot analyze critical-chain --json", { timeout: BOOT_TIMEOUT }),
      );
      expect([time.clocks, chain.clocks]).toEqual(["whole boot", "whole boot"]);
      for (const seconds of [time.seconds, sum(time.phases), chain.seconds, sum(chain.links)])
        expect(Math.abs(seconds - wall)).toBeLessThan(wall / 100);
      expect((await guestosBoot(vm, "analyze blame")).stdout).toMatch(/^ +\d[\d.]* s +\d[\d.]* s \* [a-z][a-z0-9-]* +\d/m);
      const { traceEvents } = Trace.parse(await vm.shell.json("guestos-boot analyze trace", { timeout: BOOT_TIMEOUT }));
      const named = traceEvents.flatMap(({ name, args }) => (name === "thread_name" ? [args?.["name"]] : []));
      expect(named).toEqual(expect.arrayContaining(["phases", ...guestos.map(({ name }) => name)]));
      expect(traceFaults(traceEvents)).toEqual([]);
      expect((await guestosBoot(vm, "graph --svg --boot 0")).stdout).toMatch(/^<svg [^]*<\/svg>\n$/);
      expect(await guestosBoot(vm, "status --watch")).toMatchObject({ status: 0, stdout: expect.stringContaining("volume-mounts") });
      expect((await guestosBoot(vm, "analyze plot")).stdout).toMatch(/^<svg [^]*<\/svg>\n$/);
      expect((await guestosBoot(vm, "analyze report")).stdout).toMatch(/^<!doctype html>[^]*<dt>[^]*<\/html>\n$/);
      expect((await guestosBoot(vm, "why store-key")).stdout).toMatch(/^ +start +at [^]*cryptsetup/m);
    }));
});
