import { guestosLayout, SLOT } from "./layout/layout.ts";
import * as z from "../base/schema.ts";
import { sizeInBytes, sizeText } from "./text/size-text.ts";

/**
 * /etc/guestos-boot/config.yaml, and the unit.yaml of an extra unit. The descriptions of the values here also appear in
 * guestos-boot.conf(5), docs/boot-config.md and the schemas for editors.
 */

function keys<T extends z.core.$ZodLooseShape>(shape: T): z.ZodMiniObject<T, z.core.$strict> {
  return z.strictObject(shape, { error: "keys with values below it" });
}

function text(expected: string, pattern: RegExp): z.ZodMiniString {
  return z.string({ error: expected }).check(z.regex(pattern, { error: expected, abort: true }));
}

function seconds(least: number, most: number): z.ZodMiniNumberFormat {
  const error = `a whole number of seconds from ${least} to ${most}`;
  return z.int({ error }).check(z.minimum(least, { error }), z.maximum(most, { error }));
}

function list<T extends z.ZodMiniType>(of: T): z.ZodMiniArray<T> {
  return z.array(of, { error: "a list" }).check(z.maxLength(100, { error: "at most 100 of them" }));
}

function usually<T extends z.ZodMiniType>(
  schema: T,
  value: z.core.util.NoUndefined<z.output<T>>,
  description: string,
): z.ZodMiniDefault<T> {
  return z._default(schema, value).check(z.describe(description));
}

function perhaps<T extends z.ZodMiniType>(schema: T, description: string): z.ZodMiniOptional<T> {
  return z.optional(schema).check(z.describe(description));
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

function size(least: number): z.ZodMiniString {
  const error = `a size of at least ${least} MiB, as in 512 MiB or 20 GiB`;
  return text(error, /^[1-9]\d{0,6} (?:MiB|GiB)$/).check(z.refine((value) => sizeInBytes(value) >= least * MIB, { error }));
}

function isFraction(value: string): boolean {
  const [parts = 0, of = 0] = value.split("/").map(Number);
  return parts <= of;
}

/** @param floor MiB below which its file system cannot be made */
function volume(name: string, floor: number) {
  const usual = guestosLayout.volumes.find((volume) => volume.name === name)?.size ?? { least: 0, share: "" };
  const fraction = "a fraction of at most 1, as in 1/4";
  const most = "maximum size";
  const sizes = keys({
    least: usually(size(floor), sizeText(usual.least), "minimum size"),
    share: usually(
      text(fraction, /^[1-9]\d?\/[1-9]\d{0,2}$/).check(z.refine(isFraction, { error: fraction })),
      usual.share,
      "its share of the volume group",
    ),
    most: "most" in usual && usual.most !== undefined ? usually(size(floor), sizeText(usual.most), most) : perhaps(size(floor), most),
  });
  const isInOrder = (of: z.infer<typeof sizes>): boolean => of.most === undefined || sizeInBytes(of.least) <= sizeInBytes(of.most);
  return z.prefault(sizes.check(z.refine(isInOrder, { error: "a size that is not below least", path: ["most"] })), {});
}

const { partitions, volumeGroup, versionFile } = guestosLayout;
/** The pattern of a function that maps a slot to a name. The slot's letter must occur in the name once. */
const pattern = (names: (slot: "A" | "B") => string): string => names("A").replace("A", SLOT);

const Partitions = keys({
  esp: usually(partition, partitions.esp, "the partition that the firmware boots from"),
  grub: usually(partition, partitions.grub, "the boot loader's partition"),
  store: usually(partition, partitions.store, "the encrypted store; made at the end of the disk where it is missing"),
  boot: usually(slotPartition, pattern(partitions.boot), "kernel and initramfs of a slot"),
  root: usually(slotPartition, pattern(partitions.root), "the root file system of a slot"),
  var: usually(slotPartition, pattern(partitions.var), "the encrypted /var of a slot"),
}).check(
  z.superRefine((names, context) => {
    const all = [
      partitions.config,
      ...Object.values(names).flatMap((name) => [...new Set([name.replace(SLOT, "A"), name.replace(SLOT, "B")])]),
    ];
    const twice = all.find((name, index) => all.indexOf(name) !== index);
    if (twice !== undefined) context.addIssue(`names that differ: two partitions would be named ${twice}`);
  }),
);

const UnitSettings = keys({
  off: usually(z.boolean({ error: "true or false" }), false, "disable the unit; refused while an enabled unit requires it"),
  timeout: perhaps(seconds(10, 3600), "seconds for the whole unit, retries included"),
  retryFor: perhaps(seconds(0, 1800), "seconds for which temporary errors are retried; must be below timeout"),
  onFailure: perhaps(
    z.enum(["stop"], { error: "stop, or nothing: a unit that the boot requires stays so" }),
    "`stop` makes a boot fail that would have been degraded without the unit",
  ),
});
export type UnitSettings = z.infer<typeof UnitSettings>;

const extraUnit = {
  title: line.check(z.describe("what it does, in the imperative: for people")),
  stage: usually(
    z.enum(["early", "late"], { error: "early or late" }),
    "late",
    "`early`: before local file systems, network and ssh; it may start no service then. `late`: once D-Bus is up",
  ),
  requires: usually(list(unitName), [], "units that must have succeeded before it runs"),
  after: usually(list(unitName), [], "units that come first when both run"),
  owns: usually(
    list(path),
    [],
    "paths that it alone writes, each with all below it; `*` and `?` as in a shell. Units whose paths overlap are refused",
  ),
  timeout: usually(seconds(1, 3600), 60, "seconds for all of it"),
  onFailure: usually(
    z.enum(["stop", "degrade"], { error: "stop or degrade" }),
    "degrade",
    "`stop`: the boot fails. `degrade`: the boot continues, degraded",
  ),
};

/** unit.yaml in the folder of an extra unit. */
export const ExtraUnit = keys(extraUnit);
export type ExtraUnit = z.infer<typeof ExtraUnit>;

const executable = path.check(z.describe("what is run, as EXECUTABLE plan and EXECUTABLE apply ID"));

/** config.yaml. */
export const BootConfig = keys({
  layout: z.prefault(
    keys({
      partitions: z.prefault(Partitions, {}),
      volumeGroup: usually(
        text("a name of letters, digits, dots and underscores, at most 60", /^[A-Za-z0-9][A-Za-z0-9._]{0,59}$/),
        volumeGroup,
        "the store's volume group",
      ),
      volumes: z.prefault(
        keys({
          "shared-crypto": volume("shared-crypto", 16),
          "shared-swap": volume("shared-swap", 16),
          "shared-backup": volume("shared-backup", 16),
          // mkfs.xfs makes no file system below 300 MiB (mkfs.xfs(8)).
          "shared-data": volume("shared-data", 320),
        }),
        {},
      ),
      versionFile: usually(path, versionFile, "the file that holds the system's version"),
    }),
    {},
  ),
  units: z._default(z.record(unitName, UnitSettings, { error: "names of units, with settings below each" }), {}),
  extraUnits: z._default(
    z.record(unitName, keys({ executable, ...extraUnit }), {
      error: "names of extra units, with their description below each",
    }),
    {},
  ),
});
export type BootConfig = z.infer<typeof BootConfig>;

/** Whether the name is allowed for a unit. */
export function isUnitName(name: string): boolean {
  return unitName.safeParse(name).success;
}
