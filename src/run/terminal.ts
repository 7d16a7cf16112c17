/** The destination of a command's output; replaced in tests. */
export interface Terminal {
  /** Standard output: what was asked for. One line (or block of lines) without its final newline. */
  readonly print: (text: string) => void;
  /** Standard error: problems and progress. */
  readonly complain: (text: string) => void;
  /** True when standard output is a terminal and NO_COLOR is unset or empty: only then is there colour. */
  readonly colour: boolean;
  /** Writes a question to standard error, without a line end; where absent, callers use `complain`. */
  readonly ask?: (text: string) => void;
  /** Redraws the last line on standard error; "" erases it. Absent where standard error is not a terminal. */
  readonly redraw?: (text: string) => void;
}

/** Prints one JSON document on standard output. */
export function printJson(terminal: Terminal, document: unknown): void {
  terminal.print(JSON.stringify(document, undefined, 2));
}

/** The process's own standard output and error. Node writes to files, terminals, pipes and sockets synchronously here. */
export function processTerminal(): Terminal {
  // A reader that went away (`guestos-boot list | head -1`, a restarted journal) must not abort a boot.
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
