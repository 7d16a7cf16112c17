import { guestosLayout, SLOT } from "./layout/layout.ts";
import { z } from "../base/schema.ts";
import { sizeInBytes, sizeText } from "./text/size-text.ts";

/**
 * /etc/guestos-boot/config.yaml, and the unit.yaml of an extra unit. The descriptions of the values here also appear in
 * guestos-boot.conf(5), docs/boot-config.md and the schemas for editors.
 */

function keys<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, { error: "keys with values below it" });
}

function text(expected: string, pattern: RegExp): z.ZodString {
  return z.string({ error: expected }).regex(pattern, { error: expected, abort: true });
}

function seconds(least: number, most: number): z.ZodInt {
  const error = `a whole number of seconds from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function list<T extends z.ZodType>(of: T): z.ZodArray<T> {
  return z.array(of, { error: "a list" }).max(100, { error: "at most 100 of them" });
}

const partition = text("a partition name: letters, digits, dots, hyphens, underscores, at most 36", /^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$/);
const slotPartition = text(
  `a partition name with ${SLOT} in it, the placeholder for A or B`,
  /^(?=.{6,39}$)[A-Za-z0-9._-]*\{slot\}[A-Za-z0-9._-]*$/,
);
const path = text("an absolute path, without . and .. in it", /^(?!.*\/\.{0,2}(?:\/|$))\/[^\0]+$/);
export const UNIT_NAME = "a name of lower-case letters, digits and single hyphens that begins with a letter, at most 40";
const unitName = text(UNIT_NAME, /^(?=.{1,40}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
/** Text for an operator: no character that moves a cursor or changes the writing direction. */
export const line = text("one line of text, at most 200 characters", /^(?=.{1,200}$)[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u);

const MIB = 1024 ** 2;

function size(least: number): z.ZodString {
  const error = `a size of at least ${least} MiB, as in 512 MiB or 20 GiB`;
  return text(error, /^[1-9]\d{0,6} (?:MiB|GiB)$/).refine((value) => sizeInBytes(value) >= least * MIB, { error });
}

function isFraction(value: string): boolean {
  const [parts = 0, of = 0] = value.split("/").map(Number);
  return parts <= of;
}

/** @param floor MiB below which its file system cannot be made */
function volume(name: string, floor: number) {
  const usual = guestosLayout.volumes.find((volume) => volume.name === name)?.size ?? { least: 0, share: "" };
  const fraction = "a fraction of at most 1, as in 1/4";
  return keys({
    least: size(floor).default(sizeText(usual.least)).describe("minimum size"),
    share: text(fraction, /^[1-9]\d?\/[1-9]\d{0,2}$/)
      .refine(isFraction, { error: fraction })
      .default(usual.share)
      .describe("its share of the volume group"),
    most: ("most" in usual && usual.most !== undefined ? size(floor).default(sizeText(usual.most)) : size(floor).optional()).describe(
      "maximum size",
    ),
  })
    .refine(({ least, most }) => most === undefined || sizeInBytes(least) <= sizeInBytes(most), {
      error: "a size that is not below least",
      path: ["most"],
    })
    .prefault({});
}

const { partitions, volumeGroup, versionFile } = guestosLayout;
/** The pattern of a function that maps a slot to a name. The slot's letter must occur in the name once. */
const pattern = (names: (slot: "A" | "B") => string): string => names("A").replace("A", SLOT);

const Partitions = keys({
  esp: partition.default(partitions.esp).describe("the partition that the firmware boots from"),
  grub: partition.default(partitions.grub).describe("the boot loader's partition"),
  store: partition.default(partitions.store).describe("the encrypted store; made at the end of the disk where it is missing"),
  boot: slotPartition.default(pattern(partitions.boot)).describe("kernel and initramfs of a slot"),
  root: slotPartition.default(pattern(partitions.root)).describe("the root file system of a slot"),
  var: slotPartition.default(pattern(partitions.var)).describe("the encrypted /var of a slot"),
}).superRefine((names, context) => {
  const all = [
    partitions.config,
    ...Object.values(names).flatMap((name) => [...new Set([name.replace(SLOT, "A"), name.replace(SLOT, "B")])]),
  ];
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined) context.addIssue({ code: "custom", message: `names that differ: two partitions would be named ${twice}` });
});

const UnitSettings = keys({
  off: z.boolean({ error: "true or false" }).default(false).describe("disable the unit; refused while an enabled unit requires it"),
  timeout: seconds(10, 3600).optional().describe("seconds for the whole unit, retries included"),
  retryFor: seconds(0, 1800).optional().describe("seconds for which temporary errors are retried; must be below timeout"),
  onFailure: z
    .enum(["stop"], { error: "stop, or nothing: a unit that the boot requires stays so" })
    .optional()
    .describe("`stop` makes a boot fail that would have been degraded without the unit"),
});
export type UnitSettings = z.infer<typeof UnitSettings>;

const extraUnit = {
  title: line.describe("what it does, in the imperative: for people"),
  stage: z
    .enum(["early", "late"], { error: "early or late" })
    .default("late")
    .describe("`early`: before local file systems, network and ssh; it may start no service then. `late`: once D-Bus is up"),
  requires: list(unitName).default([]).describe("units that must have succeeded before it runs"),
  after: list(unitName).default([]).describe("units that come first when both run"),
  owns: list(path)
    .default([])
    .describe("paths that it alone writes, each with all below it; `*` and `?` as in a shell. Units whose paths overlap are refused"),
  timeout: seconds(1, 3600).default(60).describe("seconds for all of it"),
  onFailure: z
    .enum(["stop", "degrade"], { error: "stop or degrade" })
    .default("degrade")
    .describe("`stop`: the boot fails. `degrade`: the boot continues, degraded"),
};

/** unit.yaml in the folder of an extra unit. */
export const ExtraUnit = keys(extraUnit);
export type ExtraUnit = z.infer<typeof ExtraUnit>;

/** config.yaml. */
export const BootConfig = keys({
  layout: keys({
    partitions: Partitions.prefault({}),
    volumeGroup: text("a name of letters, digits, dots and underscores, at most 60", /^[A-Za-z0-9][A-Za-z0-9._]{0,59}$/)
      .default(volumeGroup)
      .describe("the store's volume group"),
    volumes: keys({
      "shared-crypto": volume("shared-crypto", 16),
      "shared-swap": volume("shared-swap", 16),
      "shared-backup": volume("shared-backup", 16),
      // mkfs.xfs makes no file system below 300 MiB (mkfs.xfs(8)).
      "shared-data": volume("shared-data", 320),
    }).prefault({}),
    versionFile: path.default(versionFile).describe("the file that holds the system's version"),
  }).prefault({}),
  units: z.record(unitName, UnitSettings, { error: "names of units, with settings below each" }).default({}),
  extraUnits: z
    .record(unitName, keys({ executable: path.describe("what is run, as EXECUTABLE plan and EXECUTABLE apply ID"), ...extraUnit }), {
      error: "names of extra units, with their description below each",
    })
    .default({}),
});
export type BootConfig = z.infer<typeof BootConfig>;

/** Whether the name is allowed for a unit. */
export function isUnitName(name: string): boolean {
  return unitName.safeParse(name).success;
}
