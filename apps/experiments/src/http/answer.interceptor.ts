/** How the outcome of a command, or a resource, becomes an answer: status, ETag, body. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { CallingRequest } from '@rampart/service-kit';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { Outcome } from '../command/command-door.js';

export class Answer {
  private constructor(
    readonly status: number,
    readonly revision: number,
    readonly body: unknown,
    /** Whether events were stored, with who asked for them. */
    readonly isInHistory: boolean,
  ) {}

  /** 201 where something was made (a resource, or a version of one), 200 where all was so already or nothing was stored. */
  static made({ isChanged, revision, body }: Outcome, isDryRun: boolean): Answer {
    const isInHistory = isChanged && !isDryRun;
    return new Answer(isInHistory ? 201 : 200, revision, body, isInHistory);
  }

  static ok({ revision, body, isChanged = false }: Pick<Outcome, 'revision' | 'body'> & Partial<Outcome>): Answer {
    // A dry run says what would have changed.
    const isDryRun = typeof body === 'object' && body !== null && 'valid' in body;
    return new Answer(200, revision, body, isChanged && !isDryRun);
  }
}

@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<CallingRequest>();
    return next.handle().pipe(
      map((value: unknown) => {
        if (!(value instanceof Answer)) return value;
        request.isInHistory = value.isInHistory;
        void reply.status(value.status).header('etag', `"${value.revision}"`);
        return value.body;
      }),
    );
  }
}
