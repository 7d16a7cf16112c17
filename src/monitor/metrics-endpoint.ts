import type { Layout } from "../config/layout/layout.ts";
import { endpointText } from "../metrics/endpoint-text.ts";
import { type HttpEndpoint, startHttpEndpoint } from "../metrics/http-endpoint.ts";
import { parseListenAddress } from "../metrics/listen-address.ts";
import type { Host } from "../system/host.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import { ExitError } from "../run/exit-error.ts";
import type { Terminal } from "../run/terminal.ts";

/**
 * Serves the metrics at that address. If that fails, the monitor works without them: the failure is reported, and not thrown.
 *
 * @throws ExitError for text that is not an address
 */
export async function serveMetrics(host: Host, layout: Layout, text: string, terminal: Terminal): Promise<HttpEndpoint | undefined> {
  const address = parseListenAddress(text);
  if (address === undefined) {
    throw new ExitError("usage", {
      code: "metrics-address-wrong",
      what: "the metrics cannot be served there",
      found: JSON.stringify(text),
      expected: "a port of 127.0.0.1 (9101), or an address with a port (192.0.2.1:9101, [2001:db8::1]:9101)",
    });
  }
  try {
    return await startHttpEndpoint(address, async () => endpointText(host, layout));
  } catch (error) {
    terminal.complain(`no metrics are served: ${oneLine(toProblem(error))}`);
    return undefined;
  }
}
