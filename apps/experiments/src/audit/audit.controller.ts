import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { slug } from '@rampart/contracts';
import { Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers } from '../answers/answering.js';
import { auditPage } from '../answers/audit-answers.js';
import { AuditLog } from './audit-log.store.js';

const auditQuery = z.object({
  project: slug.optional(),
  actor: z.string().min(1).max(100).optional().describe('id of a key, `admin`, or the name of a process'),
  outcome: z.enum(['done', 'denied', 'refused', 'failed']).optional(),
  before: z
    .string()
    .regex(/^\d{1,18}$/, 'must be the `next` of a page')
    .optional()
    .describe('go on after this one: `next` of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
type AuditQuery = z.infer<typeof auditQuery>;

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @Scope('admin', { project: false })
  @ApiQuery({ name: 'project', required: false, type: String, description: 'only what is about this project' })
  @Answers(auditPage)
  @ApiOperation({ summary: 'Who did what, and who was denied or refused it; newest first' })
  list(@Query({ schema: auditQuery }) question: AuditQuery) {
    return this.audit.page(question);
  }
}
