import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const project = join(import.meta.dirname, "../../..");

/** Makes of a folder a tree that one can chroot into, and that has the program: as much of a system as this needs. Inside the namespace of the tests. */
export function makeImageTree(tree: string): void {
  const at = (path: string): string => {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    return join(tree, path);
  };
  // A line is "libm.so.6 => /lib/libm.so.6 (0x…)" or, for the loader, "/lib64/ld-linux-x86-64.so.2 (0x…)".
  for (const program of ["/bin/sh", process.execPath]) {
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
    for (const [, library = ""] of libraries) copyFileSync(library, at(library));
  }
  copyFileSync("/bin/sh", at("/bin/sh"));
  mkdirSync(join(tree, project), { recursive: true });
  execFileSync("mount", ["--bind", project, join(tree, project)]);
  const main = join(project, "src/cli/main.ts");
  writeFileSync(at("/usr/bin/guestos-boot"), `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`, { mode: 0o755 });
  writeFileSync(at("/usr/lib/greeting"), "#!/bin/sh\n", { mode: 0o755 });
}
