import type { BadImageCase } from "./case.ts";
import { bombs, manifests, versions } from "./contents.ts";
import { behindTheEnd, cutOff, flipped, noImages } from "./damaged.ts";
import { pax, sparse } from "./headers.ts";
import { members, sizes } from "./members.ts";

/** At least 200 images that must not be installed, each with what the operator is told. */
export function badImages(): readonly BadImageCase[] {
  return [
    ...cutOff(),
    ...flipped(),
    ...members(),
    ...sizes(),
    ...sparse(),
    ...pax(),
    ...behindTheEnd(),
    ...noImages(),
    ...manifests(),
    ...versions(),
    ...bombs(),
  ];
}
