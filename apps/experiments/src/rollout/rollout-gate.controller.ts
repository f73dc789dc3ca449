import { Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type GateAnswer, slug } from '@rampart/contracts';
import { Project, Scope, UnreadBody } from '@rampart/service-kit';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Answers } from '../answers/answering.js';
import { gate } from '../answers/rollout-answers.js';
import { RolloutGateQuestion } from './rollout-handlers.js';

const gateQuery = z.object({
  as: z
    .enum(['status', 'metric', 'rollback'])
    .default('status')
    .describe('metric: always 200, read the verdict in the body; rollback: 200 on no-go alone'),
});
type GateQuery = z.infer<typeof gateQuery>;

const STATUSES: Readonly<Record<GateAnswer['verdict'], number>> = { go: 200, 'no-go': 409, wait: 425 };

const GATE_ANSWERS = { 200: 'Go; or whatever `as` makes it', 409: 'No-go', 425: 'Wait' };

/** For deploy tools, each of which reads something else of an answer. */
@ApiTags('rollouts')
@Controller('v1/rollouts')
export class RolloutGateController {
  constructor(private readonly queries: QueryBus) {}

  @Get(':key/gate')
  @Scope('analyst')
  @Answers(gate, GATE_ANSWERS)
  @ApiOperation({ summary: 'May a deploy tool go on? 200 go, 409 no-go, 425 wait; the sentence is in the body' })
  read(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: gateQuery }) asked: GateQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(project, key, asked, reply);
  }

  @Post(':key/gate')
  @Scope('analyst', { audited: false })
  @UnreadBody()
  @Answers(gate, GATE_ANSWERS)
  @ApiOperation({ summary: 'The same for tools that can only post: what they send is not read' })
  ask(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: gateQuery }) asked: GateQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(project, key, asked, reply);
  }

  private async answer(project: string, key: string, { as }: GateQuery, reply: FastifyReply): Promise<GateAnswer> {
    const answer = await this.queries.execute(new RolloutGateQuestion(project, key));
    void reply.status(statusOf(answer.verdict, as)).header('cache-control', 'no-store');
    return answer;
  }
}

/** A hook that asks whether to roll back takes 2xx for yes. */
const statusOf = (verdict: GateAnswer['verdict'], as: GateQuery['as']): number => {
  if (as === 'metric') return 200;
  if (as === 'status') return STATUSES[verdict];
  return verdict === 'no-go' ? 200 : verdict === 'go' ? 409 : 425;
};
