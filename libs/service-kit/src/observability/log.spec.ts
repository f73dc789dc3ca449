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

  it('below the level is not written', () => {
    expect(linesOf((log) => log.debug('quiet'))).toEqual([]);
  });
});
