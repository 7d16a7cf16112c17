import { ProblemError } from "../src/base/problem.ts";

/**
 * The guest's kernel was hit by a defect of emulation: another processor ran an instruction while the kernel was patching it
 * (a breakpoint is there for that moment), or the timer's interrupts stayed away because the host was too busy. Nothing of
 * ours is involved, so a test harness may start such a machine again; it retries on nothing else, and counts.
 */
export class GuestPanicError extends ProblemError {}

/** The guest's kernel ended for another reason. Never retried: it may well be ours. */
export class KernelPanicError extends ProblemError {}

/** QEMU is not running any more, or could not be started. */
export class MachineEndedError extends ProblemError {}

/** What was waited for did not come in time. */
export class MachineTimeoutError extends ProblemError {}

/** The guest was reset while a script of the lab shell ran in it. */
export class GuestResetError extends ProblemError {}

/** A script of the lab shell failed, or did not end in time. */
export class ShellError extends ProblemError {}

const TEXT_PATCHING = /\bOops: int3\b|\bint3: 0000 \[#\d+\]/;
const NO_TIMER = /Kernel panic - not syncing: IO-APIC \+ timer doesn't work!/;
const PANIC = /Kernel panic - not syncing: [^\r\n]*/;

/**
 * The error that a serial log shows, if any.
 *
 * An oops is a panic already: what the machine does after it proves nothing.
 */
export function guestPanic(log: string, path: string): GuestPanicError | KernelPanicError | undefined {
  const oops = TEXT_PATCHING.exec(log);
  if (oops !== null) {
    return new GuestPanicError({
      code: "guest-panicked",
      what: "the guest's kernel panicked in its own text patching, a defect of multi-threaded emulation",
      where: { file: path, line: lineOf(log, oops.index) },
      found: oops[0],
      todo: "start the machine again",
    });
  }
  const timer = NO_TIMER.exec(log);
  if (timer !== null) {
    return new GuestPanicError({
      code: "guest-without-timer",
      what: "the guest's kernel got no timer interrupts, because the host is too busy for its emulation",
      where: { file: path, line: lineOf(log, timer.index) },
      found: timer[0],
      todo: "start the machine again",
    });
  }
  const panic = PANIC.exec(log);
  if (panic === null) return undefined;
  return new KernelPanicError({
    code: "guest-panicked",
    what: "the guest's kernel panicked",
    where: { file: path, line: lineOf(log, panic.index) },
    found: panic[0],
  });
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
