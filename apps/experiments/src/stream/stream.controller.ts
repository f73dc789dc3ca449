import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Caller, type CallerIdentity, Project, Scope } from '@rampart/service-kit';
import type { FastifyReply } from 'fastify';
import { LiveStream } from './live-stream.js';

@ApiTags('stream')
@Controller('v1/stream')
export class StreamController {
  constructor(private readonly live: LiveStream) {}

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
  watch(@Project() project: string, @Caller() { keyId, environment, endsAtUs }: CallerIdentity, @Res() reply: FastifyReply): void {
    this.live.open(reply.raw, { keyId, project, environment, endsAtUs });
    reply.hijack();
  }
}
