import { expect, test } from "vitest";
import { boundary, guestos, hostos, setupos } from "../support/chains.ts";
import { begin, get, installPrograms, throughSocks } from "./support/boundary.ts";
import { guestosBoot, runDocument } from "./support/chain.ts";
import { injectedNetwork } from "./support/injected-node.ts";
import { ssh } from "./support/reach.ts";
import {
  DOMAIN,
  expectWell,
  first,
  keys,
  node,
  POLLING,
  PROGRAMS,
  putCertificate,
  putVars,
  second,
  shown,
  target,
  VARS,
} from "./boundary/story.ts";

/**
 * The life of a boundary node: first boot, a new certificate, programs that the image has or has not. Its reboot is in
 * test/power/boundary.test.ts.
 *
 * The pieces run in this order, and each leaves the node as it found it, but for what a later one does again for itself.
 */

test("the first boot ends well: what the image has not is absent, and no error", () =>
  node.use(async (vm) => {
    const status = await guestosBoot(vm, "status --json");
    expect(status.status).toBe(0);
    const { outcome, units } = runDocument(status);
    expect(outcome).toBe("done");
    const provisioned = ["machine-id", "ssh-host-keys", "node-exporter-keys", "config-injection", "injected-data", "network-card"];
    expect(Object.fromEntries(units.map(({ name, outcome: how }) => [name, how]))).toEqual(
      Object.fromEntries(boundary.map(({ name }) => [name, provisioned.includes(name) ? "changed" : "unchanged"])),
    );
    expect(units.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)).toSorted()).toEqual(
      PROGRAMS.map((name) => expect.stringMatching(`^${name}: absent: this image has no /\\S+/${name}$`) as string),
    );
    await expectWell(vm);
  }));

test("the commands know what node this is", () =>
  node.use(async (vm) => {
    const chains = { boundary, guestos, hostos, setupos };
    expect(await vm.shell.ok("guestos-boot verify")).toBe(
      Object.entries(chains)
        .map(([name, units]) => `${name}: the chain is sound: ${units.length} units\n`)
        .join(""),
    );
    expect(await vm.shell.ok("guestos-boot list")).toContain("\nnginx ");
    expect((await guestosBoot(vm, "upgrade")).stdout).toMatch(/^stable: slot A runs/);
    expect(await vm.shell.ok("dpkg-query --show --showformat '${Package} ' 'guestos-boot*' nginx dante-server")).toMatch(
      /guestos-boot-boundary/,
    );
  }));

test("who has a key gets in by ssh", () =>
  node.use(async (vm) => {
    expect(await ssh(vm, { account: "admin", key: keys.admin, command: "hostname" })).toMatchObject({
      status: 0,
      stdout: `${injectedNetwork.hostname}\n`,
    });
    const command = "guestos-boot status >/dev/null && sudo -n id --user --name";
    expect(await ssh(vm, { account: "admin", key: keys.admin, command })).toMatchObject({ status: 0, stdout: "root\n" });
  }));

test("HTTPS is answered with the injected certificate, for the node's own name alone; HTTP is sent on to it", () =>
  node.use(async (vm) => {
    expect(await get(vm, DOMAIN, "/health")).toMatchObject({ status: 204, fingerprint: shown(first) });
    expect(await get(vm, `canister.${DOMAIN}`, "/health")).toMatchObject({ status: 204, fingerprint: shown(first) });
    await expect(get(vm, "example.com", "/health")).rejects.toThrow(/unrecognized name/);
    // No one is behind it.
    expect(await get(vm, DOMAIN, "/args")).toMatchObject({ status: 502 });
    const plain = `exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET /a HTTP/1.1\\r\\nHost: ${DOMAIN}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`;
    expect(await vm.shell.ok(plain)).toMatch(new RegExp(`^HTTP/1.1 308 [^]*\r\nLocation: https://${RegExp.escape(DOMAIN)}/a\r\n`));
  }));

test("a machine of the named network is taken out by SOCKS; another one is not, and no one is taken to the node itself", () =>
  node.use(async (vm) => {
    expect(await throughSocks(vm, "10.0.2.2", target.port)).toBe("hello");
    expect(await throughSocks(vm, "127.0.0.1", 22)).toMatch(/^refused/);
    const fromElsewhere = "exec 3<>/dev/tcp/127.0.0.1/1080; printf '\\x05\\x01\\x00' >&3; head -c 2 <&3 | od -An -tx1";
    expect((await vm.shell.run(fromElsewhere)).stdout).not.toContain("05 00");
  }));

/** Capabilities that the main process may have at most (capability.h): CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, NET_BIND_SERVICE. */
const BOUNDS = { "nginx.service": 0b100_1110_0011, "danted.service": 0b1110_0000 };

test("what faces the public may do little more than it must", () =>
  node.use(async (vm) => {
    for (const [service, most] of Object.entries(BOUNDS)) {
      const status = await vm.shell.ok(`cat /proc/$(systemctl show --value --property MainPID ${service})/status`);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      expect(status).toMatch(/^Seccomp:\s+2$/m);
      expect(Number.parseInt(/^CapBnd:\s+(\w+)$/m.exec(status)?.[1] ?? "", 16), service).toBe(most);
      // Its own view of the machine: no file of the configuration, and nothing to write to but /run.
      const inside = `nsenter --target $(systemctl show --value --property MainPID ${service}) --mount`;
      for (const folder of ["/boot/config", "/boot/grub"])
        expect((await vm.shell.run(`${inside} touch ${folder}/written`)).status, `${service}: ${folder}`).not.toBe(0);
    }
    expect(await vm.shell.ok("ps -C nginx -o user= | sort | uniq -c")).toMatch(/^\s*1 root\n\s*\d www-data\n$/);
    expect(await vm.shell.ok("ps -C danted -o user= | sort -u")).toBe("nobody\n");
    expect(await vm.shell.ok("stat --format '%a %U' /run/ic-node/etc/nginx/tls-*/privkey.pem")).toBe("600 root\n");
  }));

test("another certificate is taken up by the monitor, while a download goes on and no request is lost", () =>
  node.use(async (vm) => {
    await installPrograms(vm);
    expect((await guestosBoot(vm, "--wait 120 --unit icx-proxy")).status).toBe(0);
    await putCertificate(vm, first);
    await expect.poll(async () => (await get(vm, DOMAIN, "/health")).fingerprint, POLLING).toBe(shown(first));
    const download = await begin(vm, DOMAIN, "/slow");
    expect([download.fingerprint, download.received()]).toEqual([shown(first), "one half, "]);
    await putCertificate(vm, second);
    const others = new Set<string>();
    await expect
      .poll(async () => {
        const { status, fingerprint } = await get(vm, DOMAIN, "/health");
        others.add(`${status} ${fingerprint}`);
        return fingerprint;
      }, POLLING)
      .toBe(shown(second));
    expect([...others]).toEqual([`204 ${shown(first)}`, `204 ${shown(second)}`].filter((each) => others.has(each)));
    expect(download.received()).toBe("one half, ");
    await vm.shell.ok("touch /run/stand-in-goes-on");
    expect(await download.whole()).toBe("one half, and the other");
    await vm.shell.ok("rm /run/stand-in-goes-on");
    expect(await vm.shell.ok("systemctl show --property NRestarts nginx.service")).toBe("NRestarts=0\n");
    await expect.poll(async () => vm.shell.ok("ls /run/ic-node/etc/nginx | grep -c ^tls-"), POLLING).toBe("1\n");

    // No one has to wait for the monitor: what the run does not do itself, it was done before.
    await putCertificate(vm, first);
    const run = await guestosBoot(vm, "--wait 120 --unit nginx");
    expect(run.status, run.stderr).toBe(0);
    await expect.poll(async () => (await get(vm, DOMAIN, "/health")).fingerprint, POLLING).toBe(shown(first));
  }));

test("programs that are there are started with what they read, and restarted when that changes", () =>
  node.use(async (vm) => {
    await installPrograms(vm);
    const units = PROGRAMS.map((name) => `--unit ${name}`).join(" ");
    expect((await guestosBoot(vm, `--wait 120 ${units}`)).status).toBe(0);
    const services = PROGRAMS.map((name) => `${name}.service`).join(" ");
    expect(await vm.shell.ok(`systemctl is-active ${services}`)).toBe("active\n".repeat(3));
    expect((await get(vm, DOMAIN, "/args")).body).toBe(
      `--address 127.0.0.1:3000 --domain ${DOMAIN} --replica http://[2001:db8:6772::2]:8080`,
    );
    // An account of the moment, which can read no key.
    const proxy = "$(systemctl show --value --property MainPID icx-proxy.service)";
    expect(Number(await vm.shell.ok(`stat --format %u /proc/${proxy}`))).toBeGreaterThanOrEqual(61_184);
    const reading = `nsenter --target ${proxy} --mount --setuid $(stat --format %u /proc/${proxy}) cat /boot/config/certs/privkey.pem`;
    expect((await vm.shell.run(reading)).status).not.toBe(0);

    await putVars(vm, `${VARS}application_domains=app.example.org\n`);
    const run = runDocument(await guestosBoot(vm, `--wait 120 ${units} --json`));
    expect(run.units.flatMap(({ activated }) => activated)).toEqual([
      `restart icx-proxy.service, to call canisters for ${DOMAIN} app.example.org`,
    ]);
    expect((await get(vm, DOMAIN, "/args")).body).toContain(`--domain ${DOMAIN} --domain app.example.org `);
    await putVars(vm, VARS);
    expect((await guestosBoot(vm, "--wait 120 --unit icx-proxy")).status).toBe(0);
  }));

test("other networks are let in to SOCKS by the monitor, and those before no longer", () =>
  node.use(async (vm) => {
    await putVars(vm, VARS.replace("10.0.2.0/24", "192.0.2.0/24"));
    await expect.poll(async () => throughSocks(vm, "10.0.2.2", target.port), POLLING).toBe("closed");
    await putVars(vm, VARS);
    await expect.poll(async () => throughSocks(vm, "10.0.2.2", target.port), POLLING).toBe("hello");
    expect(await vm.shell.ok("systemctl show --property NRestarts danted.service")).toBe("NRestarts=0\n");
  }));
