/** What every answer carries: browsers guess no types, keep nothing, show it in no frame and run nothing that came with it. */
import type { FastifyInstance, FastifyReply } from 'fastify';

const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** The page of the API's description has scripts and styles of its own, in files; one style stands in it. */
const DOCS = [NOTHING, "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'"].join('; ');

/** A route that says otherwise has the last word. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': NOTHING,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const A_YEAR = 'max-age=31536000';

export const secureAnswers = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, reply: FastifyReply, done) => {
    reply.headers(SECURITY_HEADERS);
    if (/^\/docs(?:[/?]|$)/.test(request.url)) reply.header('content-security-policy', DOCS);
    // Only once it came so: on a machine of one's own there is no certificate.
    if (request.headers['x-forwarded-proto'] === 'https') reply.header('strict-transport-security', A_YEAR);
    done();
  });
};
