import { overlap, owned } from "../boot/ownership.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Problem } from "../base/problem.ts";
import type { Stage } from "../boot/record/record.ts";
import { extraUnit } from "../units/extra/extra-unit.ts";
import type { GuestUnit } from "../units/machine.ts";
import { systemBus } from "../units/services/system-bus.ts";
import type { DeclaredUnit } from "./declared-units.ts";
import { stagesOf } from "./stages.ts";

/** The chain that extra units are added to. */
export interface Shipped {
  /** The units that are switched on. */
  readonly chain: readonly GuestUnit[];
  /** Names of units that the configuration switches off. */
  readonly off: readonly string[];
  /** Further names that no extra unit may have. */
  readonly taken: readonly string[];
}

/** Why a unit does not fit: the wrong key, and the remedy. */
interface Misfit {
  readonly key: "title" | "requires" | "after" | "owns";
  readonly why: string;
  readonly todo: string;
}

/**
 * Resolves the names in extra units, and makes units of those that fit, so that the chain stays sound. A unit that does not fit is left
 * out, with all units that require it.
 */
export function linkedUnits(
  declared: readonly DeclaredUnit[],
  { chain, off, taken }: Shipped,
): { readonly units: readonly GuestUnit[]; readonly problems: readonly Problem[] } {
  const known = new Map(chain.map((unit) => [unit.name, unit]));
  const reserved = new Set([...known.keys(), ...off, ...taken]);
  const units: GuestUnit[] = [];
  const problems: Problem[] = [];
  const leaveOut = ({ name, at }: DeclaredUnit, { key, why, todo }: Misfit): void =>
    void problems.push({ code: "extra-unit-left-out", what: `the extra unit ${name} is left out: ${why}`, where: at(key), todo });
  /** The first name that is not resolved yet and must be. */
  const missing = ({ requires, after }: DeclaredUnit): (Pick<Misfit, "key"> & { readonly name: string }) | undefined => {
    const required = requires.find((name) => !known.has(name));
    if (required !== undefined) return { key: "requires", name: required };
    const first = after.find((name) => !known.has(name) && !off.includes(name));
    return first === undefined ? undefined : { key: "after", name: first };
  };
  let open: readonly DeclaredUnit[] = declared.filter((unit) => {
    const isFree = !reserved.has(unit.name);
    if (!isFree) leaveOut(unit, { key: "title", why: "there is a unit of that name already", todo: "give it another name" });
    reserved.add(unit.name);
    return isFree;
  });
  // In rounds: each adds the units whose names are all known by now.
  for (let ready = open; ready.length > 0;) {
    ready = open.filter((unit) => missing(unit) === undefined);
    open = open.filter((unit) => !ready.includes(unit));
    for (const unit of ready) {
      const named = (names: readonly string[]): readonly GuestUnit[] => names.flatMap((name) => known.get(name) ?? []);
      const requires = [...new Set([...(unit.stage === "late" ? [systemBus.name] : []), ...unit.requires])];
      const made = extraUnit({ ...unit, requires: named(requires), after: named(unit.after) });
      const misfit = misfitOf(made, unit.stage, [...known.values()]);
      if (misfit !== undefined) leaveOut(unit, misfit);
      else {
        known.set(made.name, made);
        units.push(made);
      }
    }
  }
  for (const unit of open) {
    const { key, name } = missing(unit) ?? { key: "requires" as const, name: "" };
    leaveOut(unit, { key, ...reasonFor(name, { known: [...known.keys()], off, open, declared }) });
  }
  return { units, problems };
}

function misfitOf({ requires, after, owns }: GuestUnit, stage: Stage, others: readonly GuestUnit[]): Misfit | undefined {
  const stageOf = stagesOf(others);
  const late = [...requires, ...after].find((unit) => stageOf(unit) === "late");
  if (stage === "early" && late !== undefined) {
    const todo = `give it stage: late, or remove the dependency on ${late.name}`;
    return { key: requires.includes(late) ? "requires" : "after", why: `it runs early, and ${late.name} runs late`, todo };
  }
  for (const other of others) {
    for (const theirs of other.owns) {
      const ours = owns.find((entry) => overlap(owned(entry), owned(theirs)));
      if (ours === undefined) continue;
      const why = `it owns ${ours}, and ${other.name} owns ${theirs}`;
      return { key: "owns", why, todo: "let one of them own it, and the other require that one" };
    }
  }
  return undefined;
}

interface Names {
  readonly known: readonly string[];
  readonly off: readonly string[];
  readonly open: readonly DeclaredUnit[];
  readonly declared: readonly DeclaredUnit[];
}

/** Why that name could not be resolved. */
function reasonFor(name: string, { known, off, open, declared }: Names): Omit<Misfit, "key"> {
  if (off.includes(name)) return { why: `${name} is disabled`, todo: `enable ${name}, or remove this dependency` };
  if (open.some((unit) => unit.name === name))
    return { why: `it waits for ${name}, which is left out itself, or waits for it`, todo: "remove one of these dependencies" };
  if (declared.some((unit) => unit.name === name)) return { why: `${name} is left out itself`, todo: `repair ${name} first` };
  return { why: `there is no unit ${name}`, todo: didYouMean(name, known, "see guestos-boot list") };
}
