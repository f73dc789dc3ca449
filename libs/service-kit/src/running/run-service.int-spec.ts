import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';

// A process needs a second to load, several on a busy machine.
jest.setTimeout(60_000);

const script = join(import.meta.dirname, 'sample-service.examples.js');
const ADMIN = 'an-admin-key-of-enough-length';
const complete = { SAMPLE_URL: 'http://x', SAMPLE_SIZE: '3', RAMPART_ADMIN_KEY: ADMIN };

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Resolves with the port it says it listens on; rejects when it ends before. */
  readonly port: Promise<number>;
  output(): string;
}
const children: ChildProcess[] = [];

const start = (env: Record<string, string>): Running => {
  const child = spawn(process.execPath, [script], { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const port = new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
      for (const line of output.split('\n').slice(0, -1)) {
        const said = JSON.parse(line) as { msg: string; port?: number };
        if (said.msg === 'listening' && said.port !== undefined) resolve(said.port);
      }
    });
    void ended.then((code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  port.catch(() => undefined);
  child.stderr.on('data', (part: Buffer) => {
    output += part.toString();
  });
  return { child, ended, port, output: () => output };
};
const get = async (port: number, path: string) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${ADMIN}` } });

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('a service process', () => {
  it('names everything that is missing or wrong at once, and ends', async () => {
    const service = start({ RAMPART_LISTEN_PORT: 'x', SAMPLE_URL: '' });
    expect(await service.ended).toBe(1);
    expect(service.output()).toMatch(/sample: The configuration has 3 errors/);
    expect(service.output()).toMatch(/SAMPLE_URL: is missing/);
    expect(service.output()).toMatch(/SAMPLE_SIZE: /);
    expect(service.output()).toMatch(/RAMPART_LISTEN_PORT: /);
  });

  it('says where it listens, in lines of JSON only, and serves the page of its API', async () => {
    const service = start(complete);
    const port = await service.port;
    expect((await get(port, '/readyz')).status).toBe(200);
    const page = await get(port, '/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching('text/html')]);
  });

  it('refuses a busy port in one sentence', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const service = start({ ...complete, RAMPART_LISTEN_PORT: String(port) });
    expect(await service.ended).toBe(1);
    expect(service.output()).toContain(`127.0.0.1:${port} is in use by another process`);
    server.close();
  });

  it('finishes what it has begun when asked to stop', async () => {
    const service = start(complete);
    const answer = get(await service.port, '/v1/slow');
    await new Promise((resolve) => setTimeout(resolve, 100));
    service.child.kill('SIGTERM');
    expect((await answer).status).toBe(200);
    expect(await service.ended).toBe(0);
  });

  it('goes on answering for as long as it was told, unready already, and ends at once when asked twice', async () => {
    for (const isAskedTwice of [false, true]) {
      const service = start({ ...complete, RAMPART_DRAIN_MS: isAskedTwice ? '60000' : '1500' });
      const port = await service.port;
      service.child.kill('SIGTERM');
      const readiness = async (): Promise<number> => (await get(port, '/readyz')).status;
      while ((await readiness()) === 200) await new Promise((resolve) => setTimeout(resolve, 20));
      expect([await readiness(), (await get(port, '/v1/slow')).status]).toEqual([503, 200]);
      if (isAskedTwice) service.child.kill('SIGTERM');
      expect(await service.ended).toBe(0);
    }
  });

  it('ends with its parent, whose pipe it holds', async () => {
    const service = start({ ...complete, RAMPART_PARENT_PIPE: '1' });
    await service.port;
    service.child.stdin?.end();
    expect(await service.ended).toBe(0);
  });

  it('does not mind a closed standard input otherwise', async () => {
    const service = start(complete);
    const port = await service.port;
    service.child.stdin?.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await get(port, '/livez')).status).toBe(200);
  });

  it('logs an error that nobody caught and ends, for its supervisor to start it afresh', async () => {
    const service = start(complete);
    await get(await service.port, '/v1/crash');
    expect(await service.ended).toBe(1);
    expect(service.output()).toMatch(/"level":"fatal".*out of nowhere/);
  });
});
