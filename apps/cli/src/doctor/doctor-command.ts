/** `rampart doctor`: what is wrong with a platform, and what to do about it. Changes nothing. */
import type { Typed } from '../command-line.js';
import { adminKey } from '../platform/admin-key.js';
import { dataFolder, type Environment, livingRun } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { DEFAULT_LIMITS, type Facts, type Limits } from './facts.js';
import { type Finding, findingsOf } from './findings.js';
import { gatherFacts } from './gather-facts.js';

export interface DoctorRequest {
  readonly address: string | undefined;
  readonly isJson: boolean;
  readonly limits: Limits;
}

/** @throws Refusal (exit code 2) */
export const doctorRequest = ({ words, texts, flags }: Pick<Typed, 'words' | 'texts' | 'flags'>): DoctorRequest => {
  if (words[0] !== undefined) throw usage(`What is "${words[0]}"? rampart doctor takes options only.`);
  const number = (name: string, fallback: number) => {
    const text = texts[name];
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw usage(`--${name} is a number from 0 on, not "${text}".`);
    return value;
  };
  const { minFreeBytes, mostSkewUs, mostAgeMs, mostLag, minFreeShare } = DEFAULT_LIMITS;
  return {
    address: texts.address,
    isJson: flags.json === true,
    limits: {
      minFreeShare,
      minFreeBytes: number('min-free-gib', minFreeBytes / 2 ** 30) * 2 ** 30,
      mostSkewUs: number('max-skew-s', mostSkewUs / 1e6) * 1e6,
      mostAgeMs: number('max-age-s', mostAgeMs / 1e3) * 1e3,
      mostLag: number('max-lag', mostLag),
    },
  };
};

/** @returns the exit code: 1 where anything is wrong. @param nowUs  the clock that all others are held against */
export const doctor = async (
  { address, isJson, limits }: DoctorRequest,
  environment: Environment,
  print: (text: string) => void,
  nowUs: () => number = () => Date.now() * 1_000,
): Promise<number> => {
  const platform = await requirePlatform(environment, address);
  const folder = dataFolder(environment);
  const isLocal = livingRun(folder)?.address === platform.address;
  const key = adminKey(environment).key;
  const facts = await gatherFacts({ address: platform.address, adminKey: key, dataFolder: isLocal ? folder : undefined, nowUs });
  const findings = findingsOf(facts, limits);
  print(isJson ? JSON.stringify({ healthy: findings.length === 0, findings, facts }, undefined, 2) : reportOf(facts, findings));
  return findings.length === 0 ? 0 : 1;
};

export const reportOf = (facts: Facts, findings: readonly Finding[]): string => {
  const lines = [`Platform at ${facts.address}`, ...seenLines(facts), ''];
  if (findings.length === 0) return [...lines, 'Nothing is wrong.'].join('\n');
  lines.push(findings.length === 1 ? 'One thing is wrong:' : `${findings.length} things are wrong; the first may be the cause of others:`);
  for (const { sentence, action } of findings) lines.push('', `✗ ${sentence}`, `  → ${action}`);
  return lines.join('\n');
};

const seenLines = ({ services, freshness }: Facts): readonly string[] => {
  const told = services.flatMap((one) => {
    if (one.error !== null) return [`  ${one.name}: no answer`];
    const { version, node, engines, uptimeSeconds } = one.diagnosis;
    const used = engines.map((engine) => `, ${engine.name} ${engine.error === null ? (engine.version ?? 'answers') : 'away'}`).join('');
    return [`  ${one.name} ${version} on Node ${node}, up ${uptimeSeconds} s${used}`];
  });
  if ('error' in freshness) return told;
  const hops = freshness.hops.map(({ hop, ageMs }) => `${hop} ${ageMs === null ? '–' : `${(ageMs / 1_000).toFixed(1)} s`}`);
  return [...told, `  freshness: ${hops.join(', ')}`];
};
