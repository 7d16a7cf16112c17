import { isIPv6 } from "node:net";

/** The settings of nginx, as values. None of them can end a word of its configuration, because each was checked when it was read. */
export interface NginxSettings {
  /** Served with all their subdomains. */
  readonly domains: readonly string[];
  /** Served without subdomains. */
  readonly apiDomains: readonly string[];
  /** Absolute paths. */
  readonly certificate: string;
  readonly key: string;
  /** A folder for its process id and temporary files. */
  readonly folder: string;
  readonly resolvers: readonly string[];
  /** Whether requests that bypass the service worker must get certified answers. */
  readonly certifiesRaw: boolean;
}

/** Where icx-proxy listens (etc/boundary/systemd/system/icx-proxy.service). */
export const PROXY_ADDRESS = "127.0.0.1:3000";
/** Kinds of temporary files: requests and answers that are longer than its memory buffers. */
const ASIDE = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/**
 * nginx.conf of a boundary node, for nginx 1.22 and later. HTTPS for its own domains is passed on to icx-proxy; all other requests are
 * turned away.
 */
export function nginxConf({ domains, apiDomains, certificate, key, folder, resolvers, certifiesRaw }: NginxSettings): string {
  const names = [...domains.map((domain) => `.${domain}`), ...apiDomains.filter((name) => !domains.includes(name))].join(" ");
  const servers = resolvers.map((address) => (isIPv6(address) ? `[${address}]` : address)).join(" ");
  return `# Made by guestos-boot from bn_vars.conf, network.conf and certs/ in /boot/config, and made again when one of them changes.
user www-data;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log stderr;
events {
  worker_connections 4096;
}
http {
${ASIDE.map((name) => `  ${name}_temp_path ${folder}/${name};`).join("\n")}
  access_log off;
  server_tokens off;
  default_type application/octet-stream;
  # The longest name there can be must fit.
  server_names_hash_bucket_size 512;
  server_names_hash_max_size 4096;
${servers === "" ? "" : `  resolver ${servers};\n`}  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:tls:10m;
  ssl_session_tickets off;
  upstream icx_proxy {
    server ${PROXY_ADDRESS};
    keepalive 64;
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Request-ID $request_id;

  # Whoever asks for a name that is not this node's is told nothing, not even its certificate.
  server {
    listen 443 ssl default_server;
    listen [::]:443 ssl default_server;
    ssl_reject_handshake on;
  }
  server {
    listen 80 default_server;
    listen [::]:80 default_server;
    return 444;
  }
  server {
    listen 80;
    listen [::]:80;
    server_name ${names};
    return 308 https://$host$request_uri;
  }
  server {
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name ${names};
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location = /health {
      return 204;
    }
${certifiesRaw ? `    location /_/raw/ {\n${CERTIFIED}      proxy_pass http://icx_proxy;\n    }\n` : ""}    location / {
      proxy_pass http://icx_proxy;
    }
  }
}
`;
}

/** A location with a header of its own inherits none of the others (ngx_http_proxy_module, proxy_set_header). */
const CERTIFIED = `      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header x-icx-require-certification "1";
`;
