/** `POST /session {code}` answers the admin key, once, to who comes from this machine with the code that was printed on it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerProblem, type Problem } from './problem.js';
import type { SignInCodes } from './sign-in-codes.js';

export interface SignIn {
  readonly codes: SignInCodes;
  adminKey(): string;
}

const MOST_BYTES = 4_096;

const problem = (status: number, code: string, title: string, detail: string, retryAfterSeconds?: number): Problem => ({
  ...{ status, code, title, detail },
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});
const another = 'Print another one with "npm run rampart -- open", or sign in with a key.';

export const answerSignIn = async (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  signIn: SignIn | undefined,
  requestId: string,
): Promise<void> => {
  const refuse = (why: Problem) => {
    incoming.resume();
    answerProblem(outgoing, requestId, why);
  };
  if (signIn === undefined || !isFromHere(incoming)) {
    return refuse(
      problem(
        404,
        'no-sign-in-links',
        'No sign-in by link',
        'Links work on the machine of the platform alone, where it listens to nobody else: sign in with a key.',
      ),
    );
  }
  const code = codeOf(await bodyOf(incoming));
  if (code === undefined)
    return refuse(problem(400, 'invalid-body', 'Not a sign-in', 'Send {"code": "…"} as application/json, at most 4 KB.'));
  const answer = signIn.codes.redeem(code, Date.now());
  if (answer.kind === 'too-many') {
    const seconds = answer.retryAfterSeconds;
    return refuse(problem(429, 'too-many-codes', 'Too many wrong codes', `Try again in ${seconds} s. ${another}`, seconds));
  }
  if (answer.kind === 'wrong')
    return refuse(problem(403, 'wrong-code', 'This link was used already', `A sign-in link works once. ${another}`));
  outgoing.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-request-id': requestId });
  outgoing.end(`${JSON.stringify({ key: signIn.adminKey() })}\n`);
};

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|::ffff:127(\.\d{1,3}){3})$/.test(host);

/** Not through a proxy, and not by a foreign name that was made to point here. */
const isFromHere = ({ socket, headers }: IncomingMessage): boolean => {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    isLoopback(host) &&
    headers['x-forwarded-for'] === undefined &&
    headers.forwarded === undefined
  );
};

const bodyOf = async (incoming: IncomingMessage): Promise<string | undefined> => {
  if (!/^application\/json\b/.test(incoming.headers['content-type'] ?? '')) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
};

const codeOf = (text: string | undefined): string | undefined => {
  try {
    const code: unknown = (JSON.parse(text ?? '') as { readonly code?: unknown } | null)?.code;
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
};
