/**
 * The kernel's arguments of a slot, in the file `boot_args` of its boot partition: lines NAME=value, as a host that boots the kernel itself
 * reads them (dfinity/ic, guest_vm_runner/src/boot_args.rs). A value is in double quotes, in single ones, or bare up to a blank; in each, a
 * backslash makes the next character part of it, and `\n` and `\t` are what they are in C. A comment may follow. Any other line is none.
 */
const ASSIGNMENT = /^\s*(\w+)=(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:[^#'"\\\s]|\\.)*))\s*(?:#.*)?$/;

/** @returns the value of the last line of that name; `undefined` when there is none */
export function bootArguments(text: string, name: string): string | undefined {
  const values = text.split(/\r?\n/).flatMap((line) => {
    const [, key, double, single, bare] = ASSIGNMENT.exec(line) ?? [];
    return key === name ? [double ?? single ?? bare ?? ""] : [];
  });
  return values.at(-1)?.replaceAll(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };
