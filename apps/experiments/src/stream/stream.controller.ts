import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Caller, type CallerIdentity, Project, Scope } from '@rampart/service-kit';
import type { FastifyReply } from 'fastify';
import { SurroundingsReader } from '../command/surroundings.js';
import { LiveStream } from './live-stream.js';

@ApiTags('stream')
@Controller('v1/stream')
export class StreamController {
  constructor(
    private readonly live: LiveStream,
    private readonly around: SurroundingsReader,
  ) {}

  @Get()
  @Scope('analyst')
  @ApiQuery({ name: 'environment', required: false, type: String, description: 'looks, records and changes of this environment only' })
  @ApiProduces('text/event-stream')
  @ApiOperation({
    summary: 'What changes, as server-sent events: look, record, changed. Each says what to read again; after a reconnect, read everything',
  })
  @ApiOkResponse({
    schema: {
      type: 'string',
      example:
        'event: changed\ndata: {"kind":"changed","resource":"rollout","key":"greener","revision":4}\n\n' +
        'event: record\ndata: {"kind":"record","environment":"production","experiment":"button","id":"5f…"}\n\n',
    },
  })
  async watch(
    @Project() project: string,
    @Caller() { keyId, environment, endsAtUs }: CallerIdentity,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // Whoever watches what isn't there would wait in silence.
    if (environment === null) await this.around.requireProject(project);
    else await this.around.kindOf(project, environment);
    this.live.open(reply.raw, { keyId, project, environment, endsAtUs });
    reply.hijack();
  }
}
