import { oneLine, type Problem, ProblemError, toProblem } from "../../base/problem.ts";
import { foreignText } from "../../base/foreign-words.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { readStickImages } from "../../setupos/images.ts";
import { type ElectedAnswer, isElected } from "../../system/elected-version.ts";
import { type Machine, unit } from "../machine.ts";
import { checkNns } from "./check-nns.ts";
import { checksLeftOut, stickOf } from "./stick.ts";

/**
 * Afterwards it is known whether the GuestOS on the stick is a version that the network has elected. A program of the image asks: it knows the
 * network's registry, and this one does not.
 *
 * With a trusted execution environment, only an answer that it is elected will do: another version gets no keys. Without, everything else is
 * noted, and stops nothing (dfinity/ic, ic-os/components/setupos/check-guestos-elected.sh). It changes nothing.
 */
export const checkElectedVersion = unit({
  name: "check-elected-version",
  title: "Check that the version of GuestOS is elected",
  requires: [checkNns],
  timeout: 180_000,
  absent: checksLeftOut,
  async plan(machine) {
    const { host, layout, note } = machine;
    const { nns_urls: urls, enable_trusted_execution_environment: isTrusted } = (await readHostosConfig(host, layout)).config.icos_settings;
    const { version } = await readStickImages(host, stickOf(machine).images);
    const problem = problemOf(version, await answerOf(machine, version, urls));
    if (problem === undefined) return [];
    if (isTrusted) throw new ProblemError(problem);
    note(oneLine(problem));
    return [];
  },
});

type Answer = ElectedAnswer | { readonly kind: "not known"; readonly why: string };

async function answerOf({ host, layout }: Machine, version: string, urls: readonly string[]): Promise<Answer> {
  const program = stickOf({ layout }).electedVersion;
  if ((await host.stat(program)) === undefined) return { kind: "not known", why: `this image has no ${program}` };
  try {
    return await isElected(host, program, version, urls);
  } catch (error) {
    host.signal.throwIfAborted();
    const problem = toProblem(error);
    if (problem.code === "defect") throw error;
    return { kind: "not known", why: oneLine(problem) };
  }
}

function problemOf(version: string, answer: Answer): Problem | undefined {
  if (answer.kind === "elected") return undefined;
  if (answer.kind === "not elected")
    return {
      code: "version-not-elected",
      what: `the version ${version} of GuestOS is not elected by the network`,
      found: foreignText(answer.words) || "an answer that it is not",
      expected: "a version that the NNS has elected",
      todo: "write a new image to the stick: the node's operator knows which one",
    };
  return {
    code: "version-election-not-known",
    what: `it is not known whether the version ${version} of GuestOS is elected by the network`,
    found: answer.why,
    expected: "an answer of the network's registry",
    todo: "start the stick again; if it stays so, write a new image to it",
  };
}
