import { parse } from "yaml";
import { expect, test } from "vitest";
import { filebeatYaml } from "../../../src/config/filebeat-yaml.ts";
import { journalUploadConf, uploadUrl } from "../../../src/config/journal-upload-conf.ts";

test("Filebeat reads the journal, and sends it to all hosts with the tags", async () => {
  expect(parse(await filebeatYaml({ hosts: ["a.example.org", "http://[2001:db8::1]:80"], tags: ["lab", "eu-1"] }))).toEqual({
    "filebeat.inputs": [{ type: "journald", id: "journal", seek: "head" }],
    "output.elasticsearch": { hosts: ["https://a.example.org:9200", "http://[2001:db8::1]:80"] },
    tags: ["lab", "eu-1"],
    "logging.level": "warning",
    "logging.to_files": false,
  });
});

test("a tag that looks like something else to a reader of YAML stays a text, also to one of version 1.1", async () => {
  const tags = ["no", "1e3", "0x10", "null", "007", "1_000", "2026-01-01"];
  const text = await filebeatYaml({ hosts: ["a"], tags });
  expect(parse(text, { version: "1.1" })).toMatchObject({ tags });
});

test("without tags there is no such key, and no host name is folded", async () => {
  const name = `${"a".repeat(60)}.${"b".repeat(60)}.example.org`;
  const text = await filebeatYaml({ hosts: [name], tags: [] });
  expect(text).not.toContain("tags");
  expect(text).toContain(`- "https://${name}:9200"\n`);
});

test("a receiver over TLS is known by a certificate, and a node without one of its own shows none", () => {
  const url = uploadUrl("logs.example.org");
  expect(journalUploadConf(url, { trusted: "/etc/ssl/ca/trusted.pem", hasOwn: false })).toContain(
    "[Upload]\nURL=https://logs.example.org:19532\nServerKeyFile=-\nServerCertificateFile=-\nTrustedCertificateFile=/etc/ssl/ca/trusted.pem\n",
  );
  expect(journalUploadConf(url, { trusted: "/x", hasOwn: true })).not.toContain("Server");
});

test("without TLS there is nothing to say about certificates", () => {
  expect(journalUploadConf(uploadUrl("http://10.0.0.1"), { trusted: undefined, hasOwn: false })).toMatch(
    /\[Upload\]\nURL=http:\/\/10.0.0.1:19532\n$/,
  );
});
