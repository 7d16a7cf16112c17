import { z } from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const DataItems = z.array(z.strictObject({ target: z.string().min(1), digest: Sha256 })).readonly();

/** injection.json: which tar the config partition was filled from, and how far that went. */
const Injection = z.strictObject({
  version: z.literal(1),
  /** Of the tar: it is what makes two media the same or different. */
  sha256: Sha256,
  /** Where it was read, for people. */
  device: z.string(),
  /** `begun`: the files on the config partition may be a mixture. `stored`: they are exactly that tar's. */
  phase: z.enum(["begun", "stored"]),
  /** What was put on the config partition. */
  config: z.array(z.string()).readonly(),
  /** What the same tar holds for /var/lib/ic. */
  data: DataItems,
});
export type Injection = z.infer<typeof Injection>;

/** injected-data.json: what was put below /var/lib/ic, and from which tar; written before it is put there. */
const InjectedData = z.strictObject({ version: z.literal(1), sha256: Sha256, data: DataItems });
export type InjectedData = z.infer<typeof InjectedData>;

/**
 * Reads injection.json.
 *
 * @returns `undefined` when there is none, and also when it cannot be understood: it is only written by us and only whole, so
 *   then it is damaged, and taking the medium in afresh needs nothing of it
 */
export async function readInjection(host: Host, file: string): Promise<Injection | undefined> {
  return read(host, file, Injection);
}

/** The same for injected-data.json. Without it nothing below /var/lib/ic counts as ours, so nothing there is replaced. */
export async function readInjectedData(host: Host, file: string): Promise<InjectedData | undefined> {
  return read(host, file, InjectedData);
}

export async function writeRecord(host: Host, file: string, record: Injection | InjectedData): Promise<void> {
  await host.writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o644 });
}

async function read<T>(host: Host, file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await host.readText(file);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
