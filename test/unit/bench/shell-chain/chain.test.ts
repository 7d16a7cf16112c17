import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { steps, unitFiles } from "../../../../bench/shell-chain/chain.ts";
import { stagesOf } from "../../../../src/run/stages.ts";
import { guestos } from "../../../support/chains.ts";

test("every script of the shell chain is the step of a unit, in the units' order and stage", () => {
  const scripts = readdirSync("bench/shell-chain/steps").map((name) => name.replace(/\.sh$/, ""));
  expect(steps.map(({ name }) => name).toSorted()).toEqual(scripts.toSorted());
  const stageOf = stagesOf(guestos);
  const units = guestos.filter(({ name }) => scripts.includes(name)).map((unit) => ({ name: unit.name, stage: stageOf(unit) }));
  expect(steps.map(({ name, stage }) => ({ name, stage }))).toEqual(units);
});

test("a step waits for what its unit requires", () => {
  const mounts = unitFiles().get("shell-chain-volume-mounts.service");
  expect(mounts).toMatch(/^Requires=shell-chain-volume-filesystems\.service shell-chain-var\.service$/m);
  expect(mounts).toMatch(/^After=shell-chain-volume-filesystems\.service shell-chain-var\.service$/m);
});
