/** What makes two rows the same row, and when a row counts as known. */
import { hash } from 'node:crypto';
import type { FeedbackRow, InstantUs } from '@rampart/contracts';
import type { ErasureQuery, PlacedRow } from './feedback-store.js';

/** Historical environments say themselves when a row became known. */
export const knownTimeOf = ({ row, knownAtUs }: PlacedRow): InstantUs => row.knownAt ?? knownAtUs;

/** Rows of one scope lie together: one event name (or one experiment's exposures, or its assignments) for one type of unit in one environment. */
export interface ScopeName {
  readonly project: string;
  readonly environment: string;
  readonly name: string;
  readonly unitType: string;
}

/** Exposures and assignments are named after their experiment; `metric` and `feedback` events share their names. */
export const scopedName = (kind: FeedbackRow['kind'], name: string): string =>
  kind === 'exposure' || kind === 'assignment' ? `${kind}:${name}` : name;

const hash64 = (text: string): bigint => BigInt(`0x${hash('sha256', text, 'hex').slice(0, 16)}`);

/** 64 bits of SHA-256 over the four names. */
export const scopeOf = ({ project, environment, name, unitType }: ScopeName): bigint =>
  hash64([project, environment, name, unitType].join('\0'));

/** Where the exposures and assignments of a comparison lie. */
export const comparedScopes = ({ project, environment, experiment, unitType }: ErasureQuery): readonly bigint[] =>
  (['exposure', 'assignment'] as const).map((kind) => scopeOf({ project, environment, name: scopedName(kind, experiment), unitType }));

/** 64 bits of SHA-256 over project and environment: the space in which an id may be used once. */
export const spaceOf = (project: string, environment: string): bigint => hash64([project, environment].join('\0'));

/** The first 128 bits of SHA-256(source NUL id), as 16 Latin-1 characters: what tells a retry from another event. */
export const idHashOf = ({ source, id }: Pick<FeedbackRow, 'source' | 'id'>): string =>
  hash('sha256', `${source}\0${id}`, 'binary').slice(0, 16);

/** The parts of a position. */
export const idsOfPosition = (position: bigint): { readonly generation: number; readonly offset: bigint; readonly row: number } => ({
  generation: Number(position >> 56n),
  offset: (position >> 12n) & ((1n << 44n) - 1n),
  row: Number(position & 4095n),
});
