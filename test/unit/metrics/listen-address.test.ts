import { expect, test } from "vitest";
import { parseListenAddress } from "../../../src/metrics/listen-address.ts";

test.each([
  ["9101", { host: "127.0.0.1", port: 9101 }],
  ["0.0.0.0:9101", { host: "0.0.0.0", port: 9101 }],
  ["[::1]:80", { host: "::1", port: 80 }],
])("%s is an address", (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(["", "localhost:9101", ":9101", "::1:80", "[1.2.3.4]:80", "1.2.3:80", "1.2.3.4:", "1.2.3.4:65536", "-1", "9101 "])(
  "%j is none",
  (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  },
);
