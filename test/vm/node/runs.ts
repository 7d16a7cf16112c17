import { describe, expect, test } from "vitest";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { guestos } from "../../support/chains.ts";
import { guestosBoot, recordOf, runDocument, toolRuns } from "../support/chain.ts";
import { BOOT_TIMEOUT } from "../support/node.ts";
import { node } from "./story.ts";
import { argumentsOf, filled, oneUnit, waiting } from "../../support/documented/elsewhere.ts";

/** The runs that include that unit: of each unit that requires it, directly or not, and of all units together. */
function runsWith(unit: string): number {
  const includes = ({ name, requires }: GuestUnit): boolean => name === unit || requires.some(includes);
  return guestos.filter(includes).length + 1;
}

describe("runs by hand", () => {
  test("each unit, run by itself and once more with the others, has nothing to do either time and starts next to no process", ({
    annotate,
  }) =>
    node.use(async (vm) => {
      const before = await recordOf(vm);
      const names = guestos.map(({ name }) => name);
      // Two at a time: one waits for the other's lock, and gets ready meanwhile.
      const script = `cd $(mktemp -d)
      run() { ${filled(waiting, { 60: "300" })} "\${@:2}" >$1 2>$1.err; echo $? >$1.status; }
      export -f run
      echo ${names.join(" ")} | tr ' ' '\n' | xargs -P 2 -I UNIT bash -c 'run UNIT ${argumentsOf(oneUnit, { NAME: "UNIT" })}'
      run all ${names.map((name) => `--unit ${name}`).join(" ")}
      for run in ${names.join(" ")} all; do echo "$(cat $run.status) $run$(grep -v -e ^waiting -e '^{' $run.err)"; tr -d '\n' <$run; echo; done`;
      const lines = (await vm.shell.ok(script, { timeout: BOOT_TIMEOUT })).trimEnd().split("\n");
      expect(lines.filter((_, index) => index % 2 === 0).map((line) => line.trimEnd())).toEqual([...names, "all"].map((run) => `0 ${run}`));
      const units = lines.filter((_, index) => index % 2 === 1).flatMap((line) => runDocument({ stdout: line }).units);
      expect(units.map(({ name, outcome, activated }) => [name, outcome, activated])).toEqual(
        [...names, ...names].map((name) => [name, "unchanged", []]),
      );
      const after = await recordOf(vm);
      expect(after.runs.length - before.runs.length).toBe(names.length + 1);
      const tools = toolRuns(after.events.slice(before.events.length));
      await annotate(`tools started in ${names.length + 1} runs: ${tools.length}`);
      // What is in force only nft can tell; everything else is read.
      const isOfMedium = (tool: string): boolean => tool.endsWith(" /run/guestos-boot/medium");
      expect(tools.filter((tool) => !isOfMedium(tool))).toEqual(Array.from({ length: runsWith("nftables") }, () => "nft -j list ruleset"));
      // The host may hand over another configuration at any time: each run with config-injection mounts the medium, and unmounts it.
      expect(tools.filter(isOfMedium)).toHaveLength(2 * runsWith("config-injection"));
    }));

  test("a second runner is told who holds the lock", () =>
    node.use(async (vm) => {
      // Stopped in the middle of its run, the first one holds the lock for as long as it takes.
      const { stdout } = await vm.shell.run(
        `record=/run/guestos-boot/record.jsonl
      before=$(wc -l <$record)
      guestos-boot --unit injected-data >/tmp/first 2>&1 &
      first=$!
      for try in $(seq 1200); do
        [ $(wc -l <$record) -gt $before ] && break
        sleep 0.05
      done
      kill -STOP $first
      guestos-boot --unit hostname 2>&1
      echo "exit $?, first $first"
      kill -CONT $first
      wait $first
      echo "exit $?"`,
        { timeout: BOOT_TIMEOUT },
      );
      const [, pid] = /^exit 6, first (\d+)$/m.exec(stdout) ?? [];
      expect(stdout).toMatch(/another guestos-boot is running/);
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(`process ${pid}, "guestos-boot --unit injected-data"`);
      expect(stdout).toMatch(/\nexit 0\n$/);
    }));

  test("what cannot be run is refused with a code of its own", () =>
    node.use(async (vm) => {
      const unknown = await guestosBoot(vm, "--unit hostnme");
      expect(unknown.status).toBe(4);
      expect(unknown.stderr).toMatch(/hostnme[^]*\bhostname\b/);
      const notRoot = await vm.shell.run("runuser -u nobody -- guestos-boot --unit hostname");
      expect(notRoot.status).toBe(5);
      expect(notRoot.stderr).toMatch(/root/);
    }));
});
