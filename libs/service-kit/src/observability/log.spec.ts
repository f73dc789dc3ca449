import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.js';

const linesOf = (write: (log: ReturnType<typeof createLog>) => void): readonly Record<string, unknown>[] => {
  const lines: Record<string, unknown>[] = [];
  write(createLog('things', 'info', { write: (line: string) => lines.push(JSON.parse(line)) }));
  return lines;
};

describe('a log line', () => {
  it('is JSON with service, level in words and time', () => {
    const [line] = linesOf((log) => log.warn({ count: 2 }, 'something'));
    expect(line).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), service: 'things', count: 2, msg: 'something' });
  });

  it('never holds a key', () => {
    const secret = 'rk_abc_secret';
    const headers = { authorization: `Bearer ${secret}`, 'x-api-key': secret, accept: '*/*' };
    const lines = linesOf((log) => {
      log.info({ headers }, 'a');
      log.info({ request: { headers } }, 'b');
      log.info({ authorization: secret, key: secret }, 'c');
    });
    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(JSON.stringify(lines)).toContain('*/*');
  });

  it('shows no more than the id of a key that strayed into a sentence, a field or an error', () => {
    const secret = 'Zm9vYmFyYmF6cXV4cXV1eGZvb2JhcmJhenF1eHF1dXg';
    const lines = linesOf((log) => {
      log.info({ id: `rk_k1_${secret}`, deep: { er: [{ x: `rk_k1_${secret}` }] } }, `who sent rk_k1_${secret}?`);
      log.error({ err: new Error(`no rk_k1_${secret}`) }, 'failed');
    });
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({ id: 'rk_k1_…', msg: 'who sent rk_k1_…?' });
  });

  it('below the level is not written', () => {
    expect(linesOf((log) => log.debug('quiet'))).toEqual([]);
  });
});
