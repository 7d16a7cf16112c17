/**
 * A part of `make test-crash`: first boots whose units run one after the other, each time in another legal order. Each must end in the state
 * of an undisturbed boot, and leave the chain itself nothing to do.
 *
 *   ORDERS=n     how many (20)
 *   SEED=n       the first of them; the others follow (1)
 *   MINUTES=n    begin no further one after that time
 *   MACHINE=user-mode  boot in a user-mode Linux (docs/lab.md), not emulated
 *
 * Exit status 1 when one did not.
 */
import { findAccelerator, machineNamed } from "../../lab/accelerator.ts";
import { program } from "../../lab/program.ts";
import { OrderExplorer } from "./orders.ts";

async function main(): Promise<number> {
  const accelerator = machineNamed(process.env["MACHINE"] ?? "") ?? (await findAccelerator());
  const end = Date.now() + Number(process.env["MINUTES"] || "Infinity") * 60_000;
  const first = Number(process.env["SEED"] || "1");
  const explorer = await OrderExplorer.over(console.log, accelerator);
  let [done, bad] = [0, 0];
  for (let seed = first; seed < first + Number(process.env["ORDERS"] || "20") && Date.now() < end; seed += 1) {
    const { order, faults } = await explorer.explore(seed);
    done += 1;
    if (faults.length > 0) bad += 1;
    console.log(`${faults.length === 0 ? "holds " : "FAILED"} order ${seed}: ${order.join(" ")}`);
    for (const fault of faults) console.log(`         ${fault}`);
  }
  console.log(`${done} orders, ${bad} failed`);
  return bad === 0 ? 0 : 1;
}

await program(main);
