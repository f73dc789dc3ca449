/** The yardstick of assignment over HTTP: node:http that reads and parses the body and answers a text that it has ready. Prints its port. */
import { createServer } from 'node:http';

const answer = process.env.ANSWER ?? '{}';

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { context } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { context?: unknown };
    response.writeHead(context === undefined ? 400 : 200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: typeof address === 'object' ? address?.port : null })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
