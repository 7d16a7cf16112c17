import type { VirtualMachine } from "./virtual-machine.ts";

/**
 * The state of a virtual machine. `paused` includes what only the hypervisor can go on with: suspended, or stopped by a disk that is full.
 * `shut off` is a machine that has ended, and whose name and disk are not free yet.
 */
export type MachineState = "running" | "paused" | "crashed" | "shut off" | "absent";

/**
 * What starts virtual machines, and what it says of one. A machine is known by its name.
 *
 * "Could not be inspected" is never a state: each call throws a ProblemError then, and no caller may take that for `absent`. Each call has a
 * time limit of its own.
 */
export interface Hypervisor {
  /** For people: "libvirt". */
  readonly title: string;
  /** The present state. `absent` also means that no process of that machine lives. @throws ProblemError when it cannot be inspected */
  state(name: string): Promise<MachineState>;
  /** Starts a machine that is absent; it lasts no longer than its process. @throws ProblemError */
  start(machine: VirtualMachine): Promise<void>;
  /** Presses the power button (ACPI). The system in it decides what that means. @throws ProblemError */
  shutdown(name: string): Promise<void>;
  /** Ends the machine's process, and frees its name. No error when it is absent. @throws ProblemError */
  destroy(name: string): Promise<void>;
  /**
   * Calls `changed` when something may have happened to the machine, until the signal is aborted. A hint alone: it may come late, come for
   * nothing, or not come, and it throws nothing. Decisions follow from `state`.
   */
  follow(name: string, signal: AbortSignal, changed: () => void): Promise<void>;
}
