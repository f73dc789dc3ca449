/** The page that people look at: a few files made by the setup, and headers that let the browser run nothing but them. */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** No slash, no dot at the front: a name can't leave the folder. */
const asset = /^\/assets\/(\w[\w.-]*)$/;

export class PageFiles {
  constructor(private readonly folder: string) {}

  /** @returns false where the page has no such file, or was not built. */
  async answer(path: string, response: ServerResponse): Promise<boolean> {
    const name = asset.exec(path)?.[1];
    if (path !== '/' && name === undefined) return false;
    const file = name === undefined ? join(this.folder, 'index.html') : join(this.folder, 'assets', name);
    const type = types[extname(file)];
    const bytes = type === undefined ? undefined : await readFile(file).catch(() => undefined);
    if (bytes === undefined || type === undefined) return false;
    // The name of an asset changes with its contents; the page that names them is asked for each time.
    const keeping = name === undefined ? 'no-cache' : 'public, max-age=31536000, immutable';
    response.writeHead(200, { ...headers, 'content-type': type, 'content-length': bytes.length, 'cache-control': keeping });
    response.end(response.req.method === 'HEAD' ? undefined : bytes);
    return true;
  }
}
