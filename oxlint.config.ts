import { defineConfig } from "oxlint";

/** What touches the machine, and so may be imported in src/system alone. */
const machine = [
  { name: "node:child_process", message: "Tools are run by host.run." },
  { name: "execa", message: "Tools are run by host.run." },
  { name: "node:fs", message: "Files are touched through host." },
  { name: "node:fs/promises", message: "Files are touched through host." },
  { name: "dbus-next", message: "The bus is spoken to in src/system." },
  { name: "argon2", message: "Keys are derived in src/system/argon2.ts." },
];

/** The layers: cli → metrics, doctor → units, boot, upgrade → system, config; cli → analyze → boot, system, config. For each, what it may not import. */
const layers = [
  { folder: "cli", paths: machine, patterns: [] },
  {
    folder: "metrics",
    paths: machine,
    patterns: [{ group: ["**/cli/**", "**/analyze/**", "**/doctor/**"], message: "Nothing imports upward, or its neighbour." }],
  },
  {
    folder: "doctor",
    paths: machine,
    patterns: [{ group: ["**/cli/**", "**/analyze/**", "**/metrics/**"], message: "Nothing imports upward, or its neighbour." }],
  },
  {
    folder: "analyze",
    paths: machine,
    patterns: [
      {
        group: ["**/cli/**", "**/metrics/**", "**/doctor/**", "**/units/**", "**/upgrade/**"],
        message: "What looks at a boot knows its record, and no unit.",
      },
    ],
  },
  {
    folder: "units",
    paths: machine,
    patterns: [
      { group: ["**/cli/**", "**/metrics/**", "**/analyze/**", "**/doctor/**"], message: "Nothing imports upward." },
      { group: ["**/boot/*", "!**/boot/unit.ts"], message: "A unit knows of the runner only what a unit is made of." },
    ],
  },
  {
    folder: "boot",
    paths: machine,
    patterns: [
      {
        group: ["**/cli/**", "**/metrics/**", "**/analyze/**", "**/doctor/**", "**/units/**", "**/upgrade/**"],
        message: "The runner knows no unit.",
      },
      {
        group: ["**/system/*", "!**/system/problem.ts", "!**/system/foreign-words.ts", "!**/system/command.ts", "!**/system/host.ts"],
        message: "The runner knows no tool.",
      },
    ],
  },
  {
    folder: "upgrade",
    paths: machine,
    patterns: [
      {
        group: ["**/cli/**", "**/metrics/**", "**/analyze/**", "**/doctor/**", "**/units/**", "**/boot/*"],
        message: "Nothing imports upward.",
      },
    ],
  },
  {
    folder: "config",
    paths: machine,
    patterns: [
      {
        group: ["**/cli/**", "**/metrics/**", "**/analyze/**", "**/doctor/**", "**/units/**", "**/boot/*", "**/upgrade/**"],
        message: "Nothing imports upward.",
      },
    ],
  },
  {
    folder: "system",
    paths: [],
    patterns: [
      {
        group: ["**/cli/**", "**/metrics/**", "**/analyze/**", "**/doctor/**", "**/units/**", "**/boot/*", "**/upgrade/**"],
        message: "Nothing imports upward.",
      },
    ],
  },
];

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "node", "vitest"],
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
    // A kind that nobody handles must not pass in silence.
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
    // import * as z: only that form lets the bundler leave out what is not used of zod, which was half of the program.
    "unicorn/import-style": ["error", { extendDefaultStyles: false, styles: { zod: { named: false, default: false, namespace: true } } }],
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
    ...layers.map(({ folder, paths, patterns }) => ({
      files: [`src/${folder}/**`],
      rules: { "no-restricted-imports": ["error", { paths, patterns }] as ["error", object] },
    })),
    {
      // What runs on the developer's machine talks to its terminal, and reads what its own build wrote.
      files: ["tools/**", "bench/**", "vm/**", "test/**"],
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
    { files: ["*.config.ts"], rules: { "import/no-default-export": "off" } },
  ],
});
