/** Holds every answer of a service that specs run to what its route documents. */
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import type { z } from 'zod';
import { Answer } from '../http/answer.interceptor.js';
import { ANSWER_SCHEMA, type AnswerSchemas } from './answering.js';

export class AnswerCheck implements NestInterceptor {
  /** Sentences about answers that were not as documented. */
  readonly misfits: string[] = [];

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const schemas: AnswerSchemas | undefined = Reflect.getMetadata(ANSWER_SCHEMA, context.getHandler());
    const { method, url } = context.switchToHttp().getRequest<{ readonly method: string; readonly url: string }>();
    const isDryRun = /[?&]validate=(true)?(&|$)/.test(url);
    if (schemas === undefined) return next.handle();
    const schema = isDryRun ? schemas.dryRun : schemas.asked;
    return next.handle().pipe(tap((value) => this.check(`${method} ${url}`, schema, value instanceof Answer ? value.body : value)));
  }

  private check(route: string, schema: z.ZodType, body: unknown): void {
    const { error } = schema.safeParse(JSON.parse(JSON.stringify(body)));
    for (const { path, message } of error?.issues ?? []) this.misfits.push(`${route}: /${path.join('/')}: ${message}`);
  }
}
