import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers } from '../answers/answering.js';
import { rebuilt as rebuiltAnswer } from '../answers/definition-answers.js';
import { REBUILDABLE, Rebuilder } from '../rebuilder.js';

const rebuildInput = z
  .strictObject({
    names: z
      .array(z.enum(REBUILDABLE))
      .min(1)
      .default([...REBUILDABLE]),
  })
  .prefault({});
type RebuildInput = z.infer<typeof rebuildInput>;

@ApiTags('admin')
@Controller('v1/admin')
export class AdminController {
  constructor(private readonly rebuilder: Rebuilder) {}

  @Post('rebuild')
  @HttpCode(200)
  @Scope('admin', { project: false })
  @Answers(rebuiltAnswer)
  @ApiOperation({ summary: 'Make the lists anew from the event store, and publish what definitions.v1 and decisions.v1 lack' })
  async run(@Body({ schema: rebuildInput }) { names }: RebuildInput) {
    const rebuilt = await this.rebuilder.run(names);
    return { message: `Rebuilt ${rebuilt.map(({ name, events }) => `${name} from ${events} events`).join(', ')}.`, rebuilt };
  }
}
