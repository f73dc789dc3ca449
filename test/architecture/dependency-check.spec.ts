import { describe, expect, it } from '@jest/globals';

interface Judge {
  judged(answer: { code: number | null; output: string }): { exitCode: number; lines: readonly string[] };
}

const { judged }: Judge = await import(new URL('../../../infra/setup/dependency-check.mjs', import.meta.url).href);
const advisory = (severity: string) => ({ severity, module_name: 'left', title: 'falls over', url: 'https://example.org/1' });
const report = (...severities: string[]) => ({
  code: severities.length > 0 ? 1 : 0,
  output: JSON.stringify({ advisories: Object.fromEntries(severities.map((severity, id) => [id, advisory(severity)])), metadata: {} }),
});

describe('the check of dependencies', () => {
  it('holds when nothing grave is known', () => {
    expect(judged(report())).toMatchObject({ exitCode: 0 });
    expect(judged(report('low', 'moderate')).lines).toEqual(['0 high or critical, 2 lesser weaknesses are known in what runs.']);
  });

  it.each(['high', 'critical'])('fails on what is called %s, and names it', (severity) => {
    const { exitCode, lines } = judged(report('low', severity));
    expect([exitCode, lines[0]]).toEqual([1, `${severity}: left: falls over (https://example.org/1)`]);
  });

  it.each([
    ['a registry without such a list', 1, 'Error: The audit endpoint responded with 405:'],
    ['no network', 1, 'ERR_PNPM_META_FETCH_FAIL getaddrinfo ENOTFOUND'],
    ['an error in JSON', 1, '{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE","message":"responded with 503"}}'],
    ['nothing at all', null, ''],
  ])('does not fail on %s, and says that nothing was checked', (_, code, output) => {
    const { exitCode, lines } = judged({ code, output });
    expect(exitCode).toBe(0);
    expect(lines[0]).toMatch(/NOT checked/);
  });
});
