import { problemLines, toProblem } from "../src/base/problem.ts";

/** Runs a program of the lab: its number is the exit status, and an error is told as a problem. */
export async function program(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(problemLines(toProblem(error)).join("\n"));
    process.exitCode = 1;
  }
}
