import type { Slot } from "../../src/config/layout/layout.ts";
import type { ConfigAtCut } from "./config-at-cut.ts";
import type { Recovered } from "./recovered.ts";

/** What must never be done again once an intent says that it is complete, by a boot of the system in that slot. */
const MAKES: readonly (readonly [intent: RegExp, action: (name: string, running: Slot) => RegExp])[] = [
  [/^store$/, () => /^store-key: .*(encrypt|add the partition|zero both ends)/],
  // Only what is encrypted is named: the rest is the /var of what runs.
  [
    /^var-([AB])$/,
    (slot, running) => (slot === running ? /^var: (encrypt|make the ext4|fill it)/ : RegExp(`^var: encrypt .*\\(${slot}_var\\)`)),
  ],
  [/^volumes$/, () => /^volumes: make the (store|volume group)/],
  [/^filesystem-(.*)$/, (name) => RegExp(`^volume-filesystems: make \\w+ on ${RegExp.escape(name)}$`)],
];

/** Made once, and from then on what the node is known by, or what opens its data; not what an interrupted write left beside it. */
const KEPT = /^(store\.keyfile|machine-id|ssh\/ssh_host_[^/]*|node_exporter\/[^/.][^/]*|CONFIGURED)$/;

/**
 * Holds a boot after a power cut against what had lasted before it, and against the state that an undisturbed node ends in.
 *
 * @param running the slot that was booted
 * @returns what does not hold; nothing when all does
 */
export function faultsOf(cut: ConfigAtCut, after: Recovered, undisturbed: Recovered["state"], running: Slot = "A"): readonly string[] {
  return [
    ...(after.failure === undefined ? [] : [`the target was ${after.failure}`]),
    ...differences(after.state, undisturbed),
    ...lost(cut, after),
    ...[...cut.intents].flatMap(([name, text]) => madeAgain(name, text, after, running)),
  ];
}

/** What the state of a node has and should not, or has not and should. */
export function differences(state: Recovered["state"], wanted: Recovered["state"]): readonly string[] {
  return Object.keys(wanted).flatMap((part) => {
    const [is, shall] = [new Set(state[part]), new Set(wanted[part])];
    return [
      ...[...shall].filter((line) => !is.has(line)).map((line) => `${part}: missing: ${line}`),
      ...[...is].filter((line) => !shall.has(line)).map((line) => `${part}: in addition: ${line}`),
    ];
  });
}

function lost(cut: ConfigAtCut, after: Recovered): readonly string[] {
  return [...cut.files].flatMap(([file, digest]) => {
    if (!KEPT.test(file) || after.files.get(file) === digest) return [];
    return [`${file} was there before the cut, and is ${after.files.has(file) ? "another" : "gone"}`];
  });
}

function madeAgain(name: string, text: string, { redone, uuids }: Recovered, running: Slot): readonly string[] {
  const { phase, uuid } = JSON.parse(text) as { readonly phase: string; readonly uuid: string };
  if (phase !== "complete") return [];
  const makes = MAKES.flatMap(([intent, action]) => {
    const found = intent.exec(name);
    return found === null ? [] : [action(found[1] ?? "", running)];
  });
  return [
    ...(makes.length === 0 ? [`no rule says what the intent ${name} stands for`] : []),
    ...redone
      .filter((action) => makes.some((pattern) => pattern.test(action)))
      .map((action) => `${name} was complete, and was made again: ${action}`),
    ...(uuids.includes(uuid) ? [] : [`${name} was complete as ${uuid}, and is not there any more`]),
  ];
}
