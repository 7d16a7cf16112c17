import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { readState } from "./state-file.ts";

const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const DataItems = z.array(z.strictObject({ target: z.string().check(z.minLength(1)), digest: Sha256 }));

/** injection.json: the tar that filled the config partition, and the progress of that. */
const Injection = z.strictObject({
  version: z.literal(1),
  /** Of the tar: it decides whether two media are the same. */
  sha256: Sha256,
  /** Where it was read, for people. */
  device: z.string(),
  /** `begun`: the files on the config partition may be a mixture. `stored`: they are exactly that tar's. */
  phase: z.enum(["begun", "stored"]),
  /** The files that were written to the config partition. */
  config: z.array(z.string()),
  /** The files that the same tar holds for /var/lib/ic. */
  data: DataItems,
});
export type Injection = z.infer<typeof Injection>;

/** injected-data.json: the files below /var/lib/ic, and the tar they come from. It is written before the files. */
const InjectedData = z.strictObject({ version: z.literal(1), sha256: Sha256, data: DataItems });
export type InjectedData = z.infer<typeof InjectedData>;

/**
 * Reads injection.json.
 *
 * @returns `undefined` when there is none, or when it cannot be understood. Only this program writes it, and only whole, so it is damaged
 *   then. Taking in the medium again needs nothing of it
 */
export async function readInjection(host: Host, file: string): Promise<Injection | undefined> {
  return readState(host, file, Injection);
}

/** As `readInjection`, for injected-data.json. Without it no file below /var/lib/ic counts as ours, so none is replaced. */
export async function readInjectedData(host: Host, file: string): Promise<InjectedData | undefined> {
  return readState(host, file, InjectedData);
}
