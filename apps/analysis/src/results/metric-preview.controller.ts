/** What a metric would count, before it is defined: over the events that the environment already has. */
import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { decimalText, formatInstant, type MetricDefinition, metricDefinition, parseInstant } from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Definitions } from '../definitions/definition-in-force.js';
import { unitsPerOne } from '../figures/arm-sums.js';
import { Evidence } from './evidence.source.js';
import { nearestName } from './warnings.js';

const previewBody = z.strictObject({
  definition: metricDefinition,
  since: z
    .string()
    .refine((text) => parseInstant(text) !== undefined, 'must be an RFC 3339 instant with a zone, such as 2026-01-31T12:00:00Z')
    .optional()
    .describe('events before this are not looked at; default: all'),
});
type PreviewBody = z.infer<typeof previewBody>;
const previewQuery = z.strictObject({ project: z.string().optional(), environment: z.string().optional() });

/** Counts of events, then of units; the sum is over units, in the metric's unit. */
export interface PreviewAnswer {
  readonly events: number;
  readonly matching: number;
  readonly unconverted: number;
  readonly units: number;
  readonly sum: string | null;
  readonly mean: number | null;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  readonly warnings: readonly string[];
}

@ApiTags('results')
@Controller('v1/metrics')
export class MetricPreviewController {
  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
  ) {}

  @Post('preview')
  @HttpCode(200)
  @Scope('analyst', { audited: false })
  @ApiOperation({ summary: 'What a metric definition counts in the events that are there; stores nothing' })
  async preview(
    @Body({ schema: previewBody }) { definition, since }: PreviewBody,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: previewQuery }) _query: z.infer<typeof previewQuery>,
  ): Promise<PreviewAnswer> {
    this.definitions.environment(project, environment);
    const sinceUs = since === undefined ? null : (parseInstant(since) ?? null);
    const preview = await this.evidence.preview({ project, environment, definition, sinceUs });
    const { events, matching, unconverted, units, sum, firstAtUs, lastAtUs } = preview;
    const text = sum === null ? null : decimalText(sum, unitsPerOne(definition, 'numerator'));
    return {
      events,
      matching,
      unconverted,
      units,
      sum: text,
      mean: text === null || units === 0 ? null : Number(text) / units,
      firstAt: firstAtUs === null ? null : formatInstant(firstAtUs),
      lastAt: lastAtUs === null ? null : formatInstant(lastAtUs),
      warnings: events > 0 ? [] : await this.nothingFound(project, environment, definition),
    };
  }

  private async nothingFound(project: string, environment: string, metric: MetricDefinition): Promise<readonly string[]> {
    const { event } = metric.numerator;
    const names = (await this.evidence.seenEvents(project, environment)).map(({ name }) => name);
    if (names.includes(event))
      return [
        `${environment} has the event ${event}, but none of a unit of type ${metric.unitType} in this time: check unitType and since`,
      ];
    const nearest = nearestName(event, names);
    const hint = nearest === undefined ? `its events are: ${names.join(', ') || 'none yet'}` : `did you mean ${nearest}?`;
    return [`${environment} has no event ${event}: ${hint}`];
  }
}
