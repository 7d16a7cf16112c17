import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** One project for each kind of test, because each kind may take another time, and other liberties with the machine. */
export default defineConfig({
  test: {
    // A gate that finds no tests has not passed.
    passWithNoTests: false,
    allowOnly: false,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        // Real tools on files and in namespaces: one after the other, since they share mounts, loop devices and the package's build.
        test: { name: "system", include: ["test/system/**/*.test.ts"], fileParallelism: false, testTimeout: MINUTE, hookTimeout: MINUTE },
      },
      {
        // Whole boots, on machines that may be slow: the limits only end what hangs.
        test: {
          name: "vm",
          include: ["test/vm/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 10 * MINUTE,
          hookTimeout: 15 * MINUTE,
        },
      },
    ],
  },
});
