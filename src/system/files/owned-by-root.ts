import { dirname } from "node:path";
import type { FileFacts, Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

/** Write permission of the group and of others. */
const OTHERS_WRITE = 0o022;
/** Permission of the owner to execute it. */
const OWNER_RUNS = 0o100;
/** In a folder with this bit, only the owner of a file can replace it (inode(7)). */
const STICKY = 0o1000;

/**
 * Refuses a path that a user other than root could have put there. It checks a file that decides what runs as root, or runs itself, and
 * every folder above it. Links are refused too, because their owner says nothing about their target.
 *
 * @returns facts about the file
 * @throws ProblemError also when it is missing
 */
export async function requireRootsAlone(host: Host, path: string, kind: "file" | "folder"): Promise<FileFacts> {
  const facts = await judged(host, path, kind);
  for (let folder = dirname(path), below = path; below !== folder; below = folder, folder = dirname(folder))
    await judged(host, folder, "folder");
  return facts;
}

/** As `requireRootsAlone`, for a program that is about to run. @throws ProblemError also when it is not executable */
export async function requireRootsExecutable(host: Host, path: string): Promise<void> {
  const { mode } = await requireRootsAlone(host, path, "file");
  if ((mode & OWNER_RUNS) !== 0) return;
  throw new ProblemError({
    code: "not-executable",
    what: "cannot be run",
    where: { file: path },
    found: `mode ${octal(mode)}`,
    expected: "an executable",
    todo: `chmod u+x ${path}`,
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

async function judged(host: Host, path: string, kind: "file" | "folder"): Promise<FileFacts> {
  const facts = await host.stat(path);
  const refuse = (found: string, expected: string, todo: string): ProblemError =>
    new ProblemError({
      code: "not-roots-alone",
      what: "not used, because root alone must be able to change it",
      where: { file: path },
      found,
      expected,
      todo,
    });
  if (facts === undefined) throw refuse("nothing", `a ${kind}`, "put it there, or remove the reference to it");
  if (facts.kind !== kind) throw refuse(`a ${facts.kind.replace("-", " ")}`, `a ${kind}`, `put the ${kind} itself there`);
  if (facts.uid !== 0) throw refuse(`it belongs to user ${facts.uid}`, "root", `chown root: ${path}`);
  const harmless = kind === "folder" && (facts.mode & STICKY) !== 0;
  if ((facts.mode & OTHERS_WRITE) !== 0 && !harmless)
    throw refuse(`mode ${octal(facts.mode)}: others may write to it`, "root alone to write to it", `chmod go-w ${path}`);
  return facts;
}
