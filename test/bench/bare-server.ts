/** The yardstick of ingestion: node:http that reads the body and parses it, nothing else. Prints its port. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const events: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(`{"accepted":${Array.isArray(events) ? events.length : 1}}`);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: typeof address === 'object' ? address?.port : null })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
