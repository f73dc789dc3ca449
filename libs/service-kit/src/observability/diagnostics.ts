/** What `rampart doctor` asks a process: its versions and clock, those of the engines that it uses, and the disks that it writes to. */
import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Scope } from '../access/scope.js';
import { VERSION } from './metrics.js';
import { Readiness } from './readiness.js';

export interface EngineAnswer {
  /** Null: it tells none. */
  readonly version: string | null;
  /** By its own clock; null: it tells none. */
  readonly nowUs: number | null;
  readonly disks?: readonly { readonly path: string; readonly freeBytes: number; readonly totalBytes: number }[];
}

type AskEngine = () => Promise<readonly EngineAnswer[]>;

const ANSWER_WITHIN_MS = 3_000;

export class Diagnostics {
  private readonly engines = new Map<string, AskEngine>();
  private readonly folders = new Map<string, string>();

  constructor(private readonly service: string) {}

  /** @param ask  one answer of each of its servers */
  addEngine(name: string, ask: AskEngine): void {
    this.engines.set(name, ask);
  }

  /**
   * Brokers tell neither their version nor their clock: that they answer is all.
   * @param brokers  as configured; without any the log is elsewhere, and nothing is asked
   * @param ask  anything of the log that only its brokers can answer
   */
  addKafka(brokers: string | undefined, ask: () => Promise<unknown>): void {
    if (brokers === undefined || brokers === '') return;
    this.addEngine('kafka', async () => {
      await ask().catch((error: unknown) => {
        // Brokers have said so: nobody has made it yet.
        if ((error as { code?: unknown }).code !== 'unknown-topic') throw error;
      });
      return [{ version: null, nowUs: null }];
    });
  }

  /** @param what  is kept there, for people */
  addFolder(what: string, path: string): void {
    this.folders.set(what, path);
  }

  async all() {
    const [engines, folders] = await Promise.all([
      Promise.all([...this.engines].map(([name, ask]) => askedEngine(name, ask))),
      Promise.all([...this.folders].map(([what, path]) => askedFolder(what, path))),
    ]);
    return {
      ...{ service: this.service, version: VERSION, node: process.versions.node, host: hostname(), pid: process.pid },
      ...{ uptimeSeconds: Math.round(process.uptime()), nowUs: Date.now() * 1_000, engines: engines.flat(), folders },
    };
  }
}

const askedEngine = async (name: string, ask: AskEngine) => {
  const askedAtUs = Date.now() * 1_000;
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not answer within ${ANSWER_WITHIN_MS} ms`)), ANSWER_WITHIN_MS);
  });
  try {
    const answers = await Promise.race([ask(), tooSlow]);
    const answeredAtUs = Date.now() * 1_000;
    return answers.map((answer) => ({ name, error: null, askedAtUs, answeredAtUs, disks: [], ...answer }));
  } catch (error) {
    return [{ name, error: error instanceof Error ? error.message : String(error) }];
  } finally {
    clearTimeout(timer);
  }
};

const askedFolder = async (what: string, path: string) => {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    const isWritable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    );
    return { what, path, error: null, isWritable, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    return { what, path, error: error instanceof Error ? error.message : String(error) };
  }
};

@ApiExcludeController()
@Controller()
export class DiagnosticsController {
  constructor(
    private readonly diagnostics: Diagnostics,
    private readonly readiness: Readiness,
  ) {}

  @Get('diagnostics')
  @Scope('admin', { project: false })
  async diagnose() {
    const [found, reasons, notes] = await Promise.all([this.diagnostics.all(), this.readiness.reasons(), this.readiness.notes()]);
    return { ...found, reasons, notes };
  }
}
