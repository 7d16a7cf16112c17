import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ExitError } from "../../../src/run/exit-error.ts";
import { serveMetrics } from "../../../src/monitor/metrics-endpoint.ts";
import type { Terminal } from "../../../src/run/terminal.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { endpointText } from "../../../src/metrics/endpoint-text.ts";
import { type HttpEndpoint, startHttpEndpoint } from "../../../src/metrics/http-endpoint.ts";
import { systemHost } from "../../../src/system/host.ts";
import { problemOf } from "../../support/problem-of.ts";
import { promtool } from "../../support/metrics-tools.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { testLayout } from "../../support/test-layout.ts";

const endpoints: HttpEndpoint[] = [];
afterEach(async () => {
  for (const endpoint of endpoints.splice(0)) await endpoint.stop();
});

async function start(render: () => Promise<string> = async () => "guestos_boot_stable 1\n"): Promise<string> {
  const endpoint = await startHttpEndpoint({ host: "127.0.0.1", port: 0 }, render);
  endpoints.push(endpoint);
  return `http://127.0.0.1:${endpoint.address.port}`;
}

/** What a client gets that says this and waits, and for how long it is listened to. */
async function raw(url: string, text: string): Promise<{ readonly answer: string; readonly seconds: number }> {
  const began = performance.now();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => (answer += String(chunk)));
  socket.on("error", () => undefined);
  socket.write(text);
  await once(socket, "close");
  return { answer, seconds: (performance.now() - began) / 1000 };
}

test("/metrics is served as Prometheus expects it, and nothing else is", async () => {
  const url = await start();
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toBe("guestos_boot_stable 1\n");
  expect((await fetch(`${url}/metrics`, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(`${url}/`)).status).toBe(404);
  const posted = await fetch(`${url}/metrics`, { method: "POST", body: "x" });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("clients that come together share one inspection, and the next one gets a new one", async () => {
  let pages = 0;
  const url = await start(async () => {
    pages += 1;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return `page ${pages}\n`;
  });
  const texts = await Promise.all(Array.from({ length: 5 }, async () => (await fetch(`${url}/metrics`)).text()));
  expect(new Set(texts)).toEqual(new Set(["page 1\n"]));
  expect(await (await fetch(`${url}/metrics`)).text()).toBe("page 2\n");
});

test("a failure is told without its reason, and the next request is served", async () => {
  let fails = true;
  const url = await start(async () => (fails ? Promise.reject(new Error("/secret/place")) : "ok\n"));
  const failed = await fetch(`${url}/metrics`);
  expect([failed.status, await failed.text()]).toEqual([500, "the metrics cannot be read now\n"]);
  fails = false;
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
});

test("one that sends nothing, or half a request, is let go after seconds", { timeout: 30_000 }, async () => {
  const url = await start();
  const [silent, half] = await Promise.all([raw(url, ""), raw(url, "GET /metrics HTTP/1.1\r\nHost: x\r\n")]);
  for (const { seconds } of [silent, half]) {
    expect(seconds).toBeGreaterThan(4);
    expect(seconds).toBeLessThan(15);
  }
});

test("headers without end are refused, and a connection is good for one request", async () => {
  const url = await start();
  expect((await raw(url, `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(8000)}\r\n\r\n`)).answer).toMatch(/^HTTP\/1\.1 431 /);
  const request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  expect((await raw(url, request + request)).answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
});

test("more connections than a few are turned away, and room is there again afterwards", async () => {
  const url = await start();
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  for (let count = 0; count < 8; count++) {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
  }
  expect((await raw(url, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).answer).toBe("");
  for (const socket of sockets) {
    socket.destroy();
    await once(socket, "close");
  }
  await expect.poll(async () => (await raw(url, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).answer).toMatch(/^HTTP\/1\.1 200 /);
});

test("an address that is taken is a problem with an advice, and a stopped endpoint is gone", async () => {
  const url = await start();
  const port = Number(new URL(url).port);
  expect(await problemOf(async () => startHttpEndpoint({ host: "127.0.0.1", port }, async () => ""))).toMatchObject({
    what: `cannot serve metrics at 127.0.0.1 port ${port}`,
    todo: expect.stringContaining("--metrics-address"),
  });
  await endpoints.splice(0)[0]?.stop();
  await expect(fetch(`${url}/metrics`)).rejects.toThrow();
});

test("a monitor whose endpoint cannot be had goes on without, and says so; what is no address is wrong usage", async () => {
  const port = new URL(await start()).port;
  const complaints: string[] = [];
  const terminal: Terminal = { print: () => undefined, complain: (text) => complaints.push(text), colour: false };
  const host = systemHost({ signal: new AbortController().signal });
  expect(await serveMetrics(host, guestosLayout, port, terminal)).toBeUndefined();
  expect(complaints).toEqual([expect.stringMatching(/^no metrics are served: cannot serve metrics at 127\.0\.0\.1 port \d+.*EADDRINUSE/)]);
  await expect(serveMetrics(host, guestosLayout, "localhost:9101", terminal)).rejects.toBeInstanceOf(ExitError);
});

test("what it serves is the textfile and the process itself, in one text that promtool takes", async () => {
  const layout = testLayout(namespaceRoot());
  const host = systemHost({ signal: new AbortController().signal });
  const alone = await endpointText(host, layout);
  expect(alone).toMatch(/^process_resident_memory_bytes \d{7,}$/m);
  expect(alone).toMatch(/^process_open_fds [1-9]\d*$/m);
  await host.makeFolder(layout.collector, { mode: 0o755 });
  await host.writeFile(layout.textfile, "# HELP guestos_boot_stable Stable\n# TYPE guestos_boot_stable gauge\nguestos_boot_stable 1\n", {
    mode: 0o640,
  });
  const both = await endpointText(host, layout);
  expect(both).toMatch(/^guestos_boot_stable 1$/m);
  expect(both).toMatch(/^process_cpu_seconds_total /m);
  expect(promtool(["check", "metrics"], both)).toEqual({ status: 0, said: "" });
});
