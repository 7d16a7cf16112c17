import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VirtualMachine } from "../../src/system/hypervisor/virtual-machine.ts";

/** What a tiny guest does once it has written its lines. `obey`: it waits for the power button. */
export type LastAct = "power off" | "reset" | "panic" | "hang" | "obey" | "flood";

/** Where the code begins, behind the header; and where its text does. Both from the start of the setup sector. */
const CODE = 0x70;
const TEXT = 0xc0;

/**
 * A kernel of two sectors for QEMU's direct boot (x86 boot protocol 2.2), in real mode: it writes the text to the first serial port, and
 * does one thing more. SeaBIOS gives q35 its power management at port 0x600.
 */
export function tinyKernel(text: string, last: LastAct): Uint8Array {
  const kernel = Buffer.alloc(3 * 512);
  // setup_sects, boot_flag; then the header: a jump over it, its magic, the version.
  kernel[0x1f1] = 1;
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  kernel.set([0xeb, CODE - 2], 0x200);
  kernel.write("HdrS", 0x202, "latin1");
  kernel.writeUInt16LE(0x0202, 0x206);
  const print = [
    // push cs; pop ds; cli; mov si, TEXT
    ...[0x0e, 0x1f, 0xfa, 0xbe, TEXT, 0x00],
    // next: lodsb; test al, al; jz done; mov bl, al
    ...[0xac, 0x84, 0xc0, 0x74, 0x12, 0x88, 0xc3],
    // mov dx, 0x3fd; wait: in al, dx; test al, 0x20; jz wait
    ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb],
    // mov dx, 0x3f8; mov al, bl; out dx, al; jmp next; done:
    ...[0xba, 0xf8, 0x03, 0x88, 0xd8, 0xee, 0xeb, 0xe9],
  ];
  kernel.set([...print, ...ACTS[last](print.length)], 0x200 + CODE);
  kernel.write(`${text}\0`, 0x200 + TEXT, "latin1");
  return kernel;
}

/** hlt; jmp back to it. Interrupts are off: nothing wakes it. */
const HALT = [0xf4, 0xeb, 0xfd];
/** mov dx, 0x604; mov ax, 0x2000; out dx, ax: PM1 control, S5 and SLP_EN. */
const POWER_OFF = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, ...HALT];

const ACTS: Readonly<Record<LastAct, (length: number) => readonly number[]>> = {
  "power off": () => POWER_OFF,
  // mov al, 0xfe; out 0x64, al: the keyboard controller's reset line.
  reset: () => [0xb0, 0xfe, 0xe6, 0x64, ...HALT],
  // mov dx, 0x505; mov al, 1; out dx, al: pvpanic.
  panic: () => [0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, ...HALT],
  hang: () => HALT,
  // mov dx, 0x602; mov ax, 0x100; out dx, ax: the button is enabled. mov dx, 0x600; poll: in ax, dx; test ah, 1; jz poll.
  obey: () => [0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef, 0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xfa, ...POWER_OFF],
  // jmp to the start.
  flood: (length) => [0xeb, 256 - length - 2],
};

/** The machine for it: its kernel is `kernel` in that folder, where the rest is made. */
export function tinyMachine(folder: string, name: string): VirtualMachine {
  writeFileSync(join(folder, "initrd"), "initrd");
  writeFileSync(join(folder, "disk"), Buffer.alloc(1024 * 1024));
  return {
    name,
    uuid: "fd897da5-8017-41c8-8575-a706dba30766",
    accelerated: false,
    memory: 16,
    hugePages: false,
    processors: 1,
    kernel: join(folder, "kernel"),
    initrd: join(folder, "initrd"),
    cmdline: "console=ttyS0",
    disk: { path: join(folder, "disk"), kind: "file" },
    serialLog: join(folder, "serial.log"),
  };
}
