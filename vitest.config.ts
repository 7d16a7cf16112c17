import { defineConfig } from "vitest/config";
import { LongestFirst } from "./tools/longest-first.ts";

const MINUTE = 60_000;

/** Shared with no other run of tests: mounts, host name. */
const inNamespace = {
  globalSetup: "test/support/namespace.ts",
  setupFiles: "test/support/watch-secrets.ts",
  fileParallelism: false,
  testTimeout: 3 * MINUTE,
  hookTimeout: 3 * MINUTE,
};

/** One project for each kind of test, because each kind may take another time, and other liberties with the machine. */
export default defineConfig({
  test: {
    // A gate that finds no tests has not passed.
    passWithNoTests: false,
    allowOnly: false,
    // What Vite has made of a module is kept, by its content: half the time of a test with real tools went into making it again.
    fsModuleCache: true,
    fsModuleCachePath: "build/cache/modules",
    sequence: { sequencer: LongestFirst },
    projects: [
      // Milliseconds each; the limits here and below only end what hangs, on machines that may be slow and shared.
      // Their files share a process and what it has imported, which took three quarters of the time: a test leaves nothing behind in a module.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], isolate: false, testTimeout: MINUTE } },
      {
        // Real tools on files and in namespaces: one after the other, since they share mounts, loop devices and the package's build.
        test: { name: "system", include: ["test/system/**/*.test.ts"], exclude: ["test/system/cli/**"], ...inNamespace },
      },
      // The program itself, on a machine of a test. Apart, because in a namespace of their own they can run beside the others.
      { test: { name: "command-line", include: ["test/system/cli/**/*.test.ts"], ...inNamespace } },
      {
        // Whole boots, two at a time. Two emulated machines with two processors each hold each other up on two cores: one processor each takes
        // a quarter to two fifths less time (docs/lab.md).
        test: {
          name: "vm",
          include: ["test/vm/**/*.test.ts"],
          exclude: ["test/vm/setupos/**"],
          maxWorkers: 2,
          env: { MACHINE_PROCESSORS: "1" },
          testTimeout: 10 * MINUTE,
          hookTimeout: 15 * MINUTE,
        },
      },
      {
        // Apart, because its images are built later than those of the other boots.
        test: {
          name: "vm-setupos",
          include: ["test/vm/setupos/**/*.test.ts"],
          fileParallelism: false,
          env: { MACHINE_PROCESSORS: "1" },
        },
      },
      // Hours: `make test-power`. What it looks at, `make test` has a sample of.
      { test: { name: "power", include: ["test/power/**/*.test.ts"], fileParallelism: false } },
    ],
  },
});
