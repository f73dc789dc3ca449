import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { EventStore } from '@rampart/event-store';
import { LOG, type Log, Metrics, Readiness } from '@rampart/service-kit';
import { Gauge } from 'prom-client';
import { CatalogueModule } from '../catalogue/catalogue.module.js';
import { Catalogue } from '../catalogue/catalogue.store.js';
import { CommandModule } from '../command/command.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { EvidenceModule } from '../evidence/evidence.module.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { RolloutProcess } from './rollout.process.js';
import { RolloutReader } from './rollout.reader.js';
import { RolloutGateController } from './rollout-gate.controller.js';
import { rolloutHandlers } from './rollout-handlers.js';
import { RolloutsController } from './rollouts.controller.js';

@Module({
  imports: [CommandModule, CatalogueModule, DecisionsModule, EvidenceModule],
  controllers: [RolloutsController, RolloutGateController],
  providers: [
    RolloutReader,
    ...rolloutHandlers,
    {
      provide: RolloutProcess,
      inject: [EventStore, Catalogue, NewestLooks, RolloutReader, CommandBus, LOG],
      useFactory: (store: EventStore, catalogue: Catalogue, looks: NewestLooks, reader: RolloutReader, commands: CommandBus, log: Log) =>
        new RolloutProcess({ store, catalogue, looks, reader, commands, log }),
    },
  ],
  exports: [RolloutReader],
})
export class RolloutModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(RolloutProcess) private readonly process: RolloutProcess,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(Metrics) { registry }: Metrics,
  ) {
    new Gauge({
      name: 'rampart_rollouts',
      help: 'Rollouts by status; told by the one process that moves them',
      labelNames: ['status'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [status, count] of process.counts()) this.set({ status }, count);
      },
    });
  }

  onApplicationBootstrap(): void {
    this.process.follow();
    this.readiness.note('rollouts', () => this.process.trouble());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.process.stop();
  }
}
