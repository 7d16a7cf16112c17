import { expect, test } from "vitest";
import { parseBackupConf, readBackupConf } from "../../../src/config/backup-conf.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { parseFilebeatConf, parseJournalbeatConf, readFilebeatConf, readJournalbeatConf } from "../../../src/config/log-shipping-conf.ts";
import { parseNnsConf, readNnsConf } from "../../../src/config/nns-conf.ts";
import { parseKeyValue } from "../../../src/config/text/key-value.ts";
import { checkRulesetText } from "../../../src/config/ruleset-text.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const parsers = {
  nns: (text: string) => parseNnsConf(Buffer.from(text), "x.conf"),
  backup: (text: string) => parseBackupConf(Buffer.from(text), "x.conf"),
  journalbeat: (text: string) => parseJournalbeatConf(Buffer.from(text), "x.conf"),
  filebeat: (text: string) => parseFilebeatConf(Buffer.from(text), "x.conf"),
  opaque: (text: string) => void parseKeyValue(Buffer.from(text), "x.conf"),
  ruleset: (text: string) => checkRulesetText(Buffer.from(text), "x.conf"),
};

test.each([
  ["nns", "", { nns_url: ["http://127.0.0.1:8080"] }],
  ["nns", "nns_url=", { nns_url: ["http://127.0.0.1:8080"] }],
  [
    "nns",
    "nns_url=https://[2001:db8::1]:8080,http://nns.example.org/a?b=c",
    { nns_url: ["https://[2001:db8::1]:8080", "http://nns.example.org/a?b=c"] },
  ],
  ["nns", "nns_url=http://a:1  http://b:2, http://c:3", { nns_url: ["http://a:1", "http://b:2", "http://c:3"] }],
  ["backup", "", { backup_retention_time_secs: 86_400, backup_purging_interval_secs: 3600 }],
  [
    "backup",
    "backup_retention_time_secs=0\nbackup_purging_interval_secs=60",
    { backup_retention_time_secs: 0, backup_purging_interval_secs: 60 },
  ],
  [
    "backup",
    "backup_retention_time_secs=\nbackup_puging_interval_secs=60",
    { backup_retention_time_secs: 86_400, backup_purging_interval_secs: 60 },
  ],
  ["journalbeat", "", { hosts: [], tags: [] }],
  [
    "journalbeat",
    "journalbeat_hosts=logs.example.org:443 [2001:db8::1]:9200 2001:db8::2\njournalbeat_tags=a b-c",
    { hosts: ["logs.example.org:443", "[2001:db8::1]:9200", "[2001:db8::2]"], tags: ["a", "b-c"] },
  ],
  // The one spelling of each: RFC 5952 for addresses, RFC 4343 for names, the URL standard for URLs, decimal for ports.
  [
    "journalbeat",
    "journalbeat_hosts=LOGS.Example.org:00443 http://[2001:DB8:0::1]:0080 10.0.0.1:010",
    { hosts: ["logs.example.org:443", "http://[2001:db8::1]:80", "10.0.0.1:10"], tags: [] },
  ],
  [
    "nns",
    "nns_url=http://NNS.Example.org:80/../A?B http://[2001:DB8:0::1]:08080/ http://0x7f.1:010",
    { nns_url: ["http://nns.example.org/A?B", "http://[2001:db8::1]:8080", "http://127.0.0.1:10"] },
  ],
  ["filebeat", "elasticsearch_hosts=https://logs.example.org\nelasticsearch_tags=x", { hosts: ["https://logs.example.org"], tags: ["x"] }],
  ["opaque", 'replica_log_debug_overrides=["ic_consensus::consensus"]\nwhatever={"a": "b=c"}', undefined],
  ["ruleset", 'table inet filter {\n\tchain input { type filter hook input priority 0; }\n}\n# include "later"\n', undefined],
  ["ruleset", 'chain input { comment "to include \'x\'"; } # ; include "later"\n', undefined],
] as const)("%s: %j is understood", (kind, text, expected) => {
  expect(parsers[kind](text)).toEqual(expected);
});

test.each([
  ["nns", "nns_url=,", 9],
  ["nns", "nns_url=nns.example.org", 9],
  ["nns", "nns_url=ftp://a", 9],
  ["nns", "nns_url=file:///etc/passwd", 9],
  ["nns", "nns_url=http://", 9],
  ["nns", "nns_url=http://user:word@a", 9],
  ["nns", "nns_url=http://a:99999", 9],
  ["nns", 'nns_url=http://a/","x":"', 9],
  ["nns", "nns_url=http://a/@{x}", 9],
  ["nns", "nns_url=http://a http://b\\", 18],
  ["nns", "nns_urls=http://a", 1],
  ["nns", "nns_url=http://a http://A:80", 18],
  ["backup", "backup_retention_time_secs=1d", 28],
  ["backup", "backup_retention_time_secs=-1", 28],
  ["backup", "backup_retention_time_secs=1e3", 28],
  ["backup", "backup_retention_time_secs=0x10", 28],
  ["backup", "backup_retention_time_secs=999999999999", 28],
  ["backup", "backup_retention_time_secs=99999999999999999999999", 28],
  ["backup", "backup_purging_interval_secs=0", 30],
  ["journalbeat", "journalbeat_hosts=a:0", 19],
  ["journalbeat", "journalbeat_hosts=2001:db8::1 [2001:db8:0::1]", 31],
  // inet_aton(3) takes it for 127.0.0.1.
  ["journalbeat", "journalbeat_hosts=0x7f.1", 19],
  ["journalbeat", "journalbeat_hosts=a:70000", 19],
  ["journalbeat", "journalbeat_hosts=a b:c d", 21],
  ["journalbeat", "journalbeat_hosts=a,b", 19],
  ["journalbeat", "journalbeat_hosts=https://u:p@a", 19],
  ["journalbeat", 'journalbeat_tags=a"b', 18],
  ["journalbeat", "journalbeat_tags=a: &x", 18],
  ["filebeat", "journalbeat_hosts=a", 1],
  ["opaque", "[section]", 1],
  ["opaque", "a=1\u0007", 4],
  ["ruleset", 'include "/etc/shadow"', 1],
  ["ruleset", "flush ruleset; include '/dev/zero'", 16],
  ["ruleset", "a\0", 2],
] as const)("%s: %j is refused with its place", async (kind, text, column) => {
  const problem = await problemOf(() => parsers[kind](text));
  expect(problem.where).toMatchObject({ file: "x.conf", line: 1, column });
  expect(problem.expected).not.toBe("");
});

test("the key as old host tools misspell it and the right one do not go together", async () => {
  const problem = await problemOf(() => parsers.backup("backup_puging_interval_secs=60\nbackup_purging_interval_secs=61\n"));
  expect(problem).toMatchObject({ where: { line: 1 }, expected: expect.stringContaining("only backup_purging_interval_secs") });
});

test("a missing file means the defaults", async () => {
  const host = fakeHost();
  expect(await readNnsConf(host, guestosLayout)).toEqual({ nns_url: ["http://127.0.0.1:8080"] });
  expect(await readBackupConf(host, guestosLayout)).toEqual({ backup_retention_time_secs: 86_400, backup_purging_interval_secs: 3600 });
  expect(await readJournalbeatConf(host, guestosLayout)).toEqual({ hosts: [], tags: [] });
  expect(await readFilebeatConf(host, guestosLayout)).toEqual({ hosts: [], tags: [] });
});
