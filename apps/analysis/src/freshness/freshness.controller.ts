/** How old what is known is: the same answer for every experiment, and for the platform as a whole. */
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Freshness } from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Definitions } from '../definitions/definition-in-force.js';
import { FreshnessService } from './freshness.service.js';

const freshnessQuery = z.strictObject({ project: z.string().optional(), environment: z.string().optional() });
type FreshnessQuery = z.infer<typeof freshnessQuery>;

@ApiTags('analysis')
@Controller('v1')
export class FreshnessController {
  constructor(
    private readonly hops: FreshnessService,
    private readonly definitions: Definitions,
  ) {}

  @Get('analysis/freshness')
  @Scope('analyst', { project: false })
  @ApiOperation({ summary: 'How old what is known is, hop by hop, and how far each partition of the log lies behind' })
  ofAll(): Promise<Freshness> {
    return this.hops.freshness(Date.now() * 1000);
  }

  @Get('experiments/:key/freshness')
  @Scope('analyst')
  @ApiOperation({ summary: 'How old what is known is, from the door over log and store to looks and records' })
  ofOne(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: freshnessQuery }) _query: FreshnessQuery,
  ): Promise<Freshness> {
    // Asked about an experiment that there is.
    this.definitions.inForce(project, environment, key, null);
    return this.hops.freshness(Date.now() * 1000);
  }
}
