/** What came in, what is there and what was not believed: the first place to look when numbers are missing. */
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { decimalText, formatInstant, parseInstant } from '@rampart/contracts';
import { projectSecret, pseudonymOf } from '@rampart/contracts/pseudonyms';
import { DomainError } from '@rampart/domain/errors';
import { FeedbackViews, type ListedLetter, type TailRow } from '@rampart/feedback-store';
import { ApiKeys, Caller, type CallerIdentity, Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';

/** The token of RAMPART_SECRET. */
export const PLATFORM_SECRET = 'analysis:platform-secret';

const scope = { project: z.string().optional(), environment: z.string().optional() };
const name = z.string().min(1).max(200).optional();
const limit = z.coerce.number().int().min(1).max(1000).default(100);
const HOUR_US = 3_600_000_000;

const statsQuery = z.strictObject({
  ...scope,
  since: z
    .string()
    .refine((text) => parseInstant(text) !== undefined, 'must be an RFC 3339 instant with a zone')
    .optional()
    .describe('default: one hour ago'),
  key: z.string().max(100).optional().describe('id of a write key'),
  name: name.describe('of the event'),
});
const tailQuery = z.strictObject({
  ...scope,
  name: name.describe('of the event or experiment'),
  unit: z.string().min(1).max(500).optional().describe('id of a unit, as its service sends it'),
  unitType: z.string().min(1).max(200).default('user').describe('type of that unit'),
  pseudonym: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits')
    .optional()
    .describe('instead of unit: what log and store call it'),
  limit,
});
const namesQuery = z.strictObject(scope);
const lettersQuery = z.strictObject({
  ...scope,
  code: z.string().max(100).optional(),
  limit,
  before: z
    .string()
    .regex(/^\d{1,20}$/, 'must be `next` of the page before')
    .optional(),
});

@ApiTags('ingest')
@Scope('analyst')
@Controller('v1/ingest')
export class IngestViewsController {
  constructor(
    private readonly views: FeedbackViews,
    private readonly keys: ApiKeys,
    @Inject(PLATFORM_SECRET) private readonly platformSecret: string,
  ) {}

  @Get('stats')
  @ApiOperation({ summary: 'Events accepted and rejected, by write key and name' })
  async stats(
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: statsQuery }) query: z.infer<typeof statsQuery>,
  ) {
    const sinceUs = query.since === undefined ? Date.now() * 1000 - HOUR_US : (parseInstant(query.since) ?? 0);
    const totals = await this.views.stats({ project, environment, sinceUs, key: query.key, name: query.name });
    return {
      since: formatInstant(sinceUs),
      accepted: totals.reduce((sum, { accepted }) => sum + accepted, 0),
      rejected: totals.reduce((sum, { rejected }) => sum + Object.values(rejected).reduce((a, b) => a + b, 0), 0),
      counts: totals.map(({ lastAtUs, ...total }) => ({ ...total, lastAt: formatInstant(lastAtUs) })),
    };
  }

  @Get('tail')
  @ApiOperation({ summary: 'The rows that became known last' })
  async tail(
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: tailQuery }) query: z.infer<typeof tailQuery>,
  ) {
    const { name: named, unit, unitType, limit: most } = query;
    const pseudonym = query.pseudonym ?? (unit === undefined ? undefined : this.pseudonymOf(project, unitType, unit));
    const rows = await this.views.tail({ project, environment, name: named, unit: pseudonym, limit: most });
    return { rows: rows.map(shownRow) };
  }

  @Get('names')
  @ApiOperation({ summary: 'Which events and experiments have rows here, for which type of unit, since when' })
  async names(
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: namesQuery }) _query: z.infer<typeof namesQuery>,
  ) {
    const names = await this.views.names({ project, environment });
    return {
      names: names.map(({ firstAtUs, lastAtUs, ...one }) => ({
        ...one,
        firstAt: formatInstant(firstAtUs),
        lastAt: formatInstant(lastAtUs),
      })),
    };
  }

  @Get('dead-letters')
  @Scope('analyst', { project: false })
  @ApiQuery({ name: 'project', required: false, type: String, description: 'admin keys only: without it, what belongs to no project' })
  @ApiOperation({ summary: 'Events that were not believed, newest first, with the reason; of no project for an admin key that names none' })
  async deadLetters(
    @Caller() { project }: CallerIdentity,
    @Environment() environment: string,
    @Query({ schema: lettersQuery }) query: z.infer<typeof lettersQuery>,
  ) {
    if (project !== null && !(await this.keys.hasProject(project, true)))
      throw new DomainError('project-not-found', `There is no project ${project}.`, { project });
    const of = project === null ? { project: '', environment: '' } : { project, environment };
    const page = await this.views.deadLetters({ ...of, code: query.code, limit: query.limit, before: query.before });
    return { ...page, letters: page.letters.map(shownLetter) };
  }

  /** Raw ids stay at the doors: behind this one a unit has its pseudonym. */
  private pseudonymOf(project: string, unitType: string, unit: string): string {
    return pseudonymOf(projectSecret(this.platformSecret, project), unitType, unit);
  }
}

const shownRow = ({ atUs, knownAtUs, value, ...row }: TailRow) => ({
  ...row,
  value: value === null ? null : decimalText(BigInt(value)),
  at: formatInstant(atUs),
  knownAt: formatInstant(knownAtUs),
});

const shownLetter = ({ receivedAtUs, raw, ...letter }: ListedLetter) => ({
  ...letter,
  receivedAt: formatInstant(receivedAtUs),
  canBeReplayed: raw !== null,
  raw,
});
