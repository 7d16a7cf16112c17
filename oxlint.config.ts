import { defineConfig } from "oxlint";
import { type Room, roomNames, rooms } from "./tools/rooms.ts";

/** What starts processes: src/system/command.ts, by execa, and nothing else. */
const execa = { name: "execa", message: "Tools are run by src/system/command.ts." };
const childProcess = { name: "node:child_process", message: execa.message };

/** Schemas have one dialect, which src/base/schema.ts sets up. */
const dialects = ["zod", "zod/mini"].map((name) => ({ name, message: "Schemas are written with src/base/schema.ts." }));

/** What touches the machine, and so may be imported in src/system alone. */
const machine = [
  ...dialects,
  childProcess,
  execa,
  { name: "node:fs", message: "Files are touched through host." },
  { name: "node:fs/promises", message: "Files are touched through host." },
  { name: "dbus-next", message: "The bus is spoken to in src/system." },
  { name: "argon2", message: "Keys are derived in src/system/argon2.ts." },
];

/** The files of src/system that open something by themselves, and why not through a host (src/system/host.ts). */
const pastTheHost = [
  // The host itself.
  ...["host.ts", "files/host-files.ts"],
  // Keys are derived, and nothing is opened.
  "argon2.ts",
  // The system bus.
  ...["systemd/dbus.ts", "systemd/dbus-signals.ts", "systemd/dbus-next.d.ts"],
  // What the kernel tells without end, and what it has no file for.
  ...["disks/device-event.ts", "files/watch-files.ts", "files/follow-file.ts"],
  // What is the program's own: its lock, record and log, and the parts of it that are loaded.
  ...["processes/lock.ts", "files/record-file.ts", "files/non-blocking-writer.ts", "files/system-console.ts"],
  // What a boot says to systemd, by descriptors that it hands over.
  "systemd/notify.ts",
  "processes/embedded-addon.ts",
  // Upgrade images: gigabytes, in memory that is used again.
  ...["files/byte-source.ts", "disks/direct-file.ts"],
  // A connection that systemd hands over.
  "files/message.ts",
].map((file) => `src/system/${file}`);

/** What a room may not import: every room that tools/rooms.ts does not name for it. */
const upward = (room: Room): RestrictedPattern => {
  const mayImport: readonly Room[] = [room, ...rooms[room]];
  return {
    group: roomNames.filter((other) => !mayImport.includes(other)).map((other) => `**/${other}/**`),
    message: `src/${room} stands below that, or beside it (tools/rooms.ts).`,
  };
};

/** What a room may know of another one that it imports. */
const narrow: Readonly<Partial<Record<Room, readonly RestrictedPattern[]>>> = {
  boot: [
    {
      group: ["**/system/**", "!**/system/host.ts", "!**/system/command.ts", "!**/system/ending.ts"],
      message: "The runner knows no tool.",
    },
  ],
  units: [{ group: ["**/boot/**", "!**/boot/unit.ts"], message: "A unit knows of the runner only what a unit is made of." }],
};

interface RestrictedPattern {
  readonly group: readonly string[];
  readonly message: string;
}

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "node", "vitest"],
  jsPlugins: ["./tools/lint/guestos.ts"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  // The last one runs in a browser, whose types no source may see.
  ignorePatterns: ["build", "dist", "node_modules", "test/support/measure-page.js"],
  rules: {
    // A forgotten await is a boot race.
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/use-unknown-in-catch-callback-variable": "error",
    // A kind that no one handles must not pass in silence.
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    // Types that hold.
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unsafe-argument": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-deprecated": "error",
    "typescript/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "import/no-mutable-exports": "error",
    "unicorn/prefer-node-protocol": "error",
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    "no-restricted-imports": ["error", { paths: dialects }],
    eqeqeq: "error",
    "no-var": "error",
    "prefer-const": "error",
    "no-else-return": "error",
    "no-console": "error",
    "no-implicit-coercion": "error",
    // One thing after the other is what a boot step means.
    "no-await-in-loop": "off",
    // tsc does it, and knows when a switch is complete.
    "typescript/consistent-return": "off",
    // The names of libraries are theirs.
    "no-underscore-dangle": "off",
    // A small helper stands best beside its one use.
    "unicorn/consistent-function-scoping": "off",
    "no-shadow": "off",
    // Readonly data is changed by copying it.
    "oxc/no-map-spread": "off",
    // Lists of a few names are read, not searched.
    "unicorn/prefer-set-has": "off",
    // What comes from outside is searched for control characters on purpose.
    "no-control-regex": "off",
    // Where a line breaks is the formatter's business.
    "no-unexpected-multiline": "off",
    // It does not see what a callback changes.
    "no-unmodified-loop-condition": "off",
    // A table of cases may say for each what to expect.
    "vitest/no-conditional-expect": "off",
    "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    // An option and its value, spread into an argv, read as one line.
    "unicorn/no-useless-spread": "off",
    // fc.record, z.object and the like are how their documentation writes them.
    "import/no-named-as-default-member": "off",
    // Hosts and machines are objects of plain functions: nothing in them has a `this`.
    "typescript/unbound-method": "off",
    // What is spread are names of units and devices, which are ASCII.
    "typescript/no-misused-spread": ["error", { allow: ["string"] }],
  },
  overrides: [
    ...roomNames.map((room) => ({
      files: [`src/${room}/**`],
      rules: {
        "no-restricted-imports": ["error", { paths: machine, patterns: [upward(room), ...(narrow[room] ?? [])] }] as ["error", object],
      },
    })),
    { files: ["src/units/**"], rules: { "guestos/no-absolute-path": "error" } },
    {
      files: ["src/**"],
      rules: {
        "guestos/foreign-words": "error",
        "no-restricted-globals": ["error", { name: "performance", message: "src/base/clock.ts has the one clock for durations and waits" }],
      },
    },
    {
      files: pastTheHost,
      rules: { "no-restricted-imports": ["error", { paths: [...dialects, childProcess, execa], patterns: [upward("system")] }] },
    },
    {
      files: ["src/system/command.ts"],
      rules: { "no-restricted-imports": ["error", { paths: [...dialects, childProcess], patterns: [upward("system")] }] },
    },
    {
      // What runs on the developer's machine talks to its terminal, and reads what its own build wrote.
      files: ["tools/**", "bench/**", "image/**", "lab/**", "test/**"],
      rules: { "no-console": "off", "typescript/no-unsafe-type-assertion": "off" },
    },
    {
      files: ["test/**"],
      rules: {
        // expect.any and its like are typed any.
        "typescript/no-unsafe-assignment": "off",
        // Tests throw what others might, and stand in for what others wrote.
        "typescript/only-throw-error": "off",
        "typescript/prefer-promise-reject-errors": "off",
        "unicorn/no-thenable": "off",
        "typescript/no-misused-spread": "off",
        // The second argument of expect says what the value is.
        "vitest/valid-expect": ["error", { maxArgs: 2 }],
        "vitest/expect-expect": ["error", { assertFunctionNames: ["expect*", "fc.assert", "assert*"] }],
        "vitest/require-to-throw-message": "off",
      },
    },
    { files: ["src/base/schema.ts", "test/support/json-schema.ts"], rules: { "no-restricted-imports": "off" } },
    { files: ["*.config.ts", "tools/lint/**"], rules: { "import/no-default-export": "off" } },
  ],
});
