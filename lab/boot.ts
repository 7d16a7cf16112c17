/**
 * `make boot`: boots the lab's machine and shows what the boot chain does, until it has ended.
 *
 * PROFILE=boundary and PROFILE=hostos boot the other images. FRESH=1 starts from a new disk. BOOT_TIMEOUT bounds the wait (seconds). The machine runs on; `make stop` ends it.
 * Exit status: 0 when no unit failed and the node answers to ssh, else 1.
 */
import { findAccelerator } from "./accelerator.ts";
import { type BootReport, bootReport, bootTable, type ConsoleEvent, consoleEvents, hasEnded, hasSucceeded } from "./console.ts";
import {
  defaultFiles,
  defaultMachine,
  defaultProfile,
  ensureAdminKey,
  ensureDefaultDisk,
  labDomain,
  makeDefaultMedium,
} from "./default-machine.ts";
import { withPanicRetry } from "./panic-retry.ts";
import { stateFolder } from "../image/paths.ts";
import { MachineTimeoutError } from "./problems.ts";
import { program } from "./program.ts";
import { answersSsh } from "./reachable.ts";
import { runningPid } from "./start-qemu.ts";
import { attachVirtualMachine, startVirtualMachine } from "./start-virtual-machine.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

/** As it is said to make. */
const PROFILE = defaultProfile === "guestos" ? "" : ` PROFILE=${defaultProfile}`;
const DEFAULT_TIMEOUT = 600;
/** Where the chain failed, ssh may well not come at all, and a short wait has to do. */
const SSH_TIMEOUT = { succeeded: 120_000, failed: 20_000 };

async function main(): Promise<number> {
  const fresh = (process.env["FRESH"] ?? "") !== "" && process.env["FRESH"] !== "0";
  const timeout = Number(process.env["BOOT_TIMEOUT"] ?? DEFAULT_TIMEOUT) * 1000;
  console.log((await findAccelerator()).text);
  await stopRunning();
  await ensureAdminKey();
  const media = await makeDefaultMedium();
  let first = true;
  return withPanicRetry(async () => {
    // After a panic the disk is what a power cut left, and the chain must cope with that: it is not made again.
    console.log(await ensureDefaultDisk(fresh && first));
    first = false;
    const vm = await startVirtualMachine({
      name: defaultMachine,
      disk: { path: defaultFiles.disk, durable: true },
      media,
      background: true,
    });
    console.log(`console: ${vm.serial.path}\n`);
    try {
      return await follow(vm, timeout);
    } catch (error) {
      // What has ended of itself or panicked is of no use; what is only slow, or failed, is left for an inspection.
      if (vm.failure !== undefined) await vm.powerCut();
      throw error;
    } finally {
      vm.detach();
    }
  });
}

async function stopRunning(): Promise<void> {
  const pid = runningPid(stateFolder(defaultMachine));
  if (pid === undefined) return;
  console.log(`the machine is running already (process ${pid}): shutting it down, to boot its disk again`);
  const vm = await attachVirtualMachine(defaultMachine);
  if ((await vm.shutdown()) === "killed") console.log("it did not shut down in time, and was switched off");
}

async function follow(vm: VirtualMachine, timeout: number): Promise<number> {
  const report = await untilEnded(vm, timeout);
  console.log(`\n${bootTable(report).join("\n")}\n`);
  const sshTimeout = SSH_TIMEOUT[hasSucceeded(report) ? "succeeded" : "failed"];
  const reachable = await answersSsh(vm.ports.ssh, sshTimeout);
  const silence = `ssh does not answer on port ${vm.ports.ssh} within ${sshTimeout / 1000} s`;
  const hasKey = defaultProfile !== "hostos";
  const login = hasKey ? `make ssh${PROFILE} (port ${vm.ports.ssh})` : "on the console: no account has a key (docs/hostos.md)";
  console.log(`log in   ${reachable ? login : silence}`);
  console.log(`metrics  https://127.0.0.1:${vm.ports.metrics}/metrics`);
  if (defaultProfile === "boundary") {
    const at = `${labDomain}:${vm.ports.https}`;
    console.log(`https    curl --insecure --include --resolve ${at}:127.0.0.1 https://${at}/health`);
    console.log(`socks    127.0.0.1:${vm.ports.socks}`);
  }
  console.log(`stop     make stop${PROFILE}`);
  if (!hasSucceeded(report))
    console.log(`\nnot every unit succeeded: the console is in ${vm.serial.path}; docs/lab.md says how to inspect it further`);
  return hasSucceeded(report) && reachable ? 0 : 1;
}

/** Shows each event once, as it comes. */
async function untilEnded(vm: VirtualMachine, timeout: number): Promise<BootReport> {
  let shown = 0;
  const ended = (): BootReport | undefined => {
    const events = consoleEvents(vm.serial.text);
    for (const event of events.slice(shown)) console.log(eventText(event));
    shown = events.length;
    const report = bootReport(events);
    return hasEnded(report) ? report : undefined;
  };
  try {
    return await vm.waitFor("the boot chain to end", timeout, ended);
  } catch (error) {
    // A table of what is known says more than the console's last lines alone.
    const report = bootReport(consoleEvents(vm.serial.text));
    if (error instanceof MachineTimeoutError && report.units.length > 0) console.log(`\n${bootTable(report).join("\n")}\n`);
    throw error;
  }
}

function eventText(event: ConsoleEvent): string {
  switch (event.kind) {
    case "unit":
      return `  ${event.name.padEnd(20)} ${event.outcome.padEnd(9)} ${event.seconds.toFixed(2)} s${event.detail === undefined ? "" : ` — ${event.detail}`}`;
    case "waiting":
      return `  … ${event.unit}: ${event.text}`;
    case "end":
      return "the boot chain has ended";
    case "text":
      return `  ${event.text}`;
  }
}

await program(main);
