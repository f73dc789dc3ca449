/** What orchestrators and Prometheus ask, without a key. */
import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Open } from '../access/scope.js';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

interface Ready {
  readonly status: string;
  readonly reasons: Readonly<Record<string, string>>;
  /** What is wrong without making it unready; left out where nothing is. */
  readonly notes?: Readonly<Record<string, string>>;
}

@ApiExcludeController()
@Open()
@Controller()
export class ProbesController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('livez')
  @HttpCode(200)
  livez(): { status: string } {
    return { status: 'alive' };
  }

  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<Ready> {
    const [reasons, notes] = await Promise.all([this.readiness.reasons(), this.readiness.notes()]);
    const isReady = Object.keys(reasons).length === 0;
    void reply.status(isReady ? 200 : 503);
    const status = isReady ? 'ready' : 'not ready';
    return Object.keys(notes).length === 0 ? { status, reasons } : { status, reasons, notes };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async text(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
