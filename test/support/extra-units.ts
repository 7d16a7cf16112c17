import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Fixture } from "./fixture-process.ts";

/** Writes a file of the fixture's /etc/guestos-boot, with all folders above it. */
export function writeOwn(fixture: Fixture, name: string, content: string, mode = 0o644): string {
  const path = join(fixture.path("own"), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** Adds an extra unit to it. @param script what follows `#!/bin/bash` */
export function addExtraUnit(fixture: Fixture, name: string, script: string, yaml = "title: An extra unit\n"): string {
  writeOwn(fixture, `units.d/${name}/unit.yaml`, yaml);
  return writeOwn(fixture, `units.d/${name}/${name}`, `#!/bin/bash\n${script}`, 0o755);
}
