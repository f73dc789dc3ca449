/** How the outcome of a command, or a resource, becomes an answer: status, ETag, body. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { Outcome } from '../command/command-door.js';

export class Answer {
  private constructor(
    readonly status: number,
    readonly revision: number,
    readonly body: unknown,
  ) {}

  /** 201 where something was made (a resource, or a version of one), 200 where all was so already or nothing was stored. */
  static made({ isChanged, revision, body }: Outcome, isDryRun: boolean): Answer {
    return new Answer(isChanged && !isDryRun ? 201 : 200, revision, body);
  }

  static ok({ revision, body }: Pick<Outcome, 'revision' | 'body'>): Answer {
    return new Answer(200, revision, body);
  }
}

@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((value: unknown) => {
        if (!(value instanceof Answer)) return value;
        void reply.status(value.status).header('etag', `"${value.revision}"`);
        return value.body;
      }),
    );
  }
}
