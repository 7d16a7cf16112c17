/** Where a command's words go; replaced in tests. */
export interface Terminal {
  /** Standard output: what was asked for. One line (or block of lines) without its final newline. */
  readonly print: (text: string) => void;
  /** Standard error: what went wrong. */
  readonly complain: (text: string) => void;
  /** True when a person watches standard output: only then is there colour. */
  readonly colour: boolean;
  /** A question on standard error, without the end of the line; plainly by `complain` where absent. */
  readonly ask?: (text: string) => void;
  /** Draws one line anew in the place of the last one, on standard error; "" takes it away. Absent where nobody watches. */
  readonly redraw?: (text: string) => void;
}

/** One JSON document on standard output. */
export function printJson(terminal: Terminal, document: unknown): void {
  terminal.print(JSON.stringify(document, undefined, 2));
}

/** The process's own standard output and error. Node writes to files, terminals, pipes and sockets synchronously here. */
export function processTerminal(): Terminal {
  // A reader that went away (`guestos-boot list | head -1`, a restarted journal) is no reason to break off a boot.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
    ask: (text) => void process.stderr.write(text),
    colour: process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    // ECMA-48: carriage return, then EL, which erases to the end of the line.
    ...(process.stderr.isTTY ? { redraw: (text) => void process.stderr.write(`\r${text}\u001b[K`) } : {}),
  };
}
