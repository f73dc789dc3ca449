/** A connection between a service and an engine that can be made bad: refused, silent, or slow. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@rampart/test-engines';

export type Weather = 'clear' | 'refused' | 'silent' | 'slow';

export class Line {
  /** What slow means: so long for each chunk, one way. */
  slowMs = 250;
  /** Whether answers are slow too. */
  slows: 'both' | 'requests' = 'both';
  private weather: Weather = 'clear';
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    /** The same over all weathers. */
    readonly port: number,
  ) {}

  static async before(host: string, port: number): Promise<Line> {
    const line = new Line({ host, port }, await freePort());
    await line.listen();
    return line;
  }

  /** Silent is what a cut cable is: nothing arrives and nothing is closed; what was sent meanwhile arrives when it is clear again. */
  async become(weather: Weather): Promise<void> {
    const before = this.weather;
    this.weather = weather;
    if (weather === 'refused') await this.shut();
    else if (before === 'refused') await this.listen();
    if (weather !== 'silent') {
      for (const go of this.waiting) go();
      this.waiting.clear();
    }
  }

  async close(): Promise<void> {
    await this.become('clear');
    await this.shut();
  }

  private async shut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server !== undefined) await new Promise((closed) => server.close(closed));
  }

  private async listen(): Promise<void> {
    const server = createServer((client) => this.join(client));
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen(this.port, '127.0.0.1', listening);
    });
    this.server = server;
  }

  private join(client: Socket): void {
    const engine = connect(this.target.port, this.target.host);
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      this.pass(from, to, from === client);
    }
  }

  /** In order: a chunk waits for the one before. */
  private pass(from: Socket, to: Socket, isRequest: boolean): void {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      from.pause();
      last = last.then(async () => {
        await this.through(isRequest);
        if (!to.destroyed) to.write(chunk);
        from.resume();
      });
    });
    from.on('end', () => {
      last = last.then(() => void to.end());
    });
  }

  private async through(isRequest: boolean): Promise<void> {
    if (this.weather === 'slow' && (isRequest || this.slows === 'both')) await new Promise((resolve) => setTimeout(resolve, this.slowMs));
    while (this.weather === 'silent') await new Promise<void>((go) => this.waiting.add(go));
  }
}
