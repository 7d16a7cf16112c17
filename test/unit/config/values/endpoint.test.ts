import { expect, test } from "vitest";
import { endpointUrl, parseEndpoint } from "../../../../src/config/values/endpoint.ts";
import { readEndpoint } from "../../../../src/config/values/host-name.ts";

test.each([
  ["logs.example.org", "https://logs.example.org:19532"],
  ["logs.example.org:443", "https://logs.example.org:443"],
  ["http://logs.example.org", "http://logs.example.org:19532"],
  ["https://10.0.0.1:1", "https://10.0.0.1:1"],
  ["2001:db8::1", "https://[2001:db8::1]:19532"],
  ["[2001:db8::1]", "https://[2001:db8::1]:19532"],
  ["http://[2001:db8::1]:80", "http://[2001:db8::1]:80"],
  // RFC 5952, RFC 4343, and a port in decimal.
  ["http://[2001:0DB8:0::1]:0080", "http://[2001:db8::1]:80"],
  ["2001:DB8:0:0::1", "https://[2001:db8::1]:19532"],
  ["LOGS.example.org:00443", "https://logs.example.org:443"],
])("%s means %s", (endpoint, url) => {
  expect(endpointUrl(parseEndpoint(readEndpoint(endpoint) ?? "", 19532))).toBe(url);
});
