/** Three brokers, two shards, each service twice: one process after the other is replaced, in the order of docs/operations.md, while events and questions go on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { assigned, defineAssigned } from '../journeys/assigned.js';
import { type Deployment, startDeployment } from '../journeys/deployment.js';
import { type LiveSetting, neverClosing, recordSaying, startLive, visits, wholeResults } from '../journeys/live.js';
import { eventually, repository } from '../journeys/platform.js';
import type { Findings } from './findings.js';

const ORDER = ['door', ...['analysis', 'experiments', 'ingestion', 'assignment'].flatMap((service) => [`${service}-1`, `${service}-2`])];
const PER_BATCH = 60;
const BATCH_EVERY_MS = 250;
const UNITS = 12_000;
const ASKED = 50;

/** @param checkout  of the earlier platform, built */
export const upgradedRolling = async (checkout: string, findings: Findings, say: (line: string) => void): Promise<void> => {
  const deployment = await startDeployment({ checkout, env: { RAMPART_DRAIN_MS: '1500' } });
  try {
    const setting = await startLive(deployment, { ...neverClosing, project: 'rolled', environment: 'during' });
    // What happened before a start does not count.
    const calm = await startLive(deployment, { ...neverClosing, project: 'rolled', environment: 'calm' });
    const { clientKey } = await defineAssigned(deployment);
    const traffic = new Traffic(deployment, setting, clientKey);
    const going = traffic.go();
    // Heard of at the end, or when it fails.
    const failed = new Promise<never>((_resolve, reject) => void going.catch(reject));
    failed.catch(() => undefined);
    await recordSaying(deployment, setting, 'continue');
    for (const name of ORDER) {
      const begun = performance.now();
      await Promise.race([failed, replaced(deployment, name)]);
      say(`${name} is replaced, and the watermark moves after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    }
    traffic.isOver = true;
    await going;
    const statuses = [...traffic.statuses].map(([status, times]) => `${times} × ${status}`).join(', ');
    const isExpected = [...traffic.statuses.keys()].every((status) => ['202', '503', 'nobody at the door'].includes(status));
    findings.check('events are answered 202, or 503, or while the door is replaced not at all, and sent again', isExpected, statuses);
    findings.check('every question for a variant is answered alike', traffic.otherAnswers.length === 0, `${traffic.asked} asked`);
    for (const other of traffic.otherAnswers.slice(0, 5)) say(`        ${other}`);
    const during = await wholeResults(deployment, setting, traffic.acknowledged.length);
    const again = new Traffic(deployment, calm, clientKey);
    for (let at = 0; at < traffic.acknowledged.length; at += PER_BATCH) await again.send(traffic.acknowledged.slice(at, at + PER_BATCH));
    const after = await wholeResults(deployment, calm, traffic.acknowledged.length);
    const count = `${traffic.acknowledged.length} events`;
    findings.check(
      'what was sent meanwhile has the evidence of what is sent in peace',
      during.evidenceDigest === after.evidenceDigest,
      count,
    );
    await findings.checkHistory(deployment);
  } finally {
    await deployment.stop();
    deployment.remove();
  }
};

const replaced = async (deployment: Deployment, name: string): Promise<void> => {
  await deployment.member(name).replaceBy(repository);
  await deployment.member(name).whenReady();
  await watermarkMoves(deployment);
};

const watermarkMoves = async (deployment: Deployment): Promise<void> => {
  const known = async (): Promise<string | undefined> => {
    const { status, body } = await deployment.call('GET', '/v1/analysis/freshness');
    return status === 200 ? ((body.watermark as string | null) ?? undefined) : undefined;
  };
  const first = await eventually('there is a watermark', known, 60_000);
  await eventually('the watermark moves', async () => (((await known()) ?? first) > first ? true : undefined), 60_000);
};

/** While the door itself is replaced nobody answers; one that runs must. */
const isDoorAway = (error: unknown): boolean => (error as { cause?: { code?: unknown } }).cause?.code === 'ECONNREFUSED';

class Traffic {
  isOver = false;
  asked = 0;
  readonly acknowledged: object[] = [];
  readonly statuses = new Map<string, number>();
  readonly otherAnswers: string[] = [];
  private readonly variants = new Map<string, string | undefined>();

  constructor(
    private readonly deployment: Deployment,
    private readonly setting: LiveSetting,
    private readonly clientKey: string,
  ) {}

  async go(): Promise<void> {
    const events = visits(this.setting, 0, UNITS, { buysOneIn: { control: 3, treatment: 4 } });
    for (let at = 0; !this.isOver; at += PER_BATCH) {
      if (at >= events.length) throw new Error('the events are used up before the upgrade is over');
      await this.send(events.slice(at, at + PER_BATCH));
      await this.ask(`unit-${(at / PER_BATCH) % ASKED}`);
      await sleep(BATCH_EVERY_MS);
    }
  }

  /** Until it is acknowledged. */
  async send(batch: readonly object[]): Promise<void> {
    await eventually(
      'a batch is acknowledged',
      async () => {
        const status = await this.deployment.call('POST', '/v1/events', batch, { key: this.setting.key }).then(
          (answer) => String(answer.status),
          (error: unknown) => (isDoorAway(error) ? 'nobody at the door' : String((error as Error).cause ?? error)),
        );
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        return status === '202' ? true : undefined;
      },
      60_000,
    );
    this.acknowledged.push(...batch);
  }

  private async ask(unit: string): Promise<void> {
    try {
      const { variant } = await assigned(this.deployment.address, this.clientKey, 'checkout', unit);
      this.asked += 1;
      if (this.variants.has(unit) && this.variants.get(unit) !== variant)
        this.otherAnswers.push(`${unit} was told ${this.variants.get(unit)}, and ${variant}`);
      this.variants.set(unit, variant);
    } catch (error) {
      if (!isDoorAway(error)) this.otherAnswers.push(`${unit}: ${String(error)}`);
    }
  }
}
