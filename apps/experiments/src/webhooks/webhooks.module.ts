import { type BeforeApplicationShutdown, type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventStore } from '@rampart/event-store';
import { LOG, type Log, Metrics, Readiness } from '@rampart/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { CatalogueModule } from '../catalogue/catalogue.module.js';
import { Catalogue } from '../catalogue/catalogue.store.js';
import { AnswerSeal } from '../command/answer-seal.js';
import { CommandModule } from '../command/command.module.js';
import { WebhookDeliveries } from './webhook-deliveries.store.js';
import { WebhookFigures } from './webhook-figures.js';
import { WebhookSender } from './webhook-sender.js';
import { ALLOW_INNER } from './webhook-target.js';
import { WebhooksController } from './webhooks.controller.js';

/** Who else is told of phase changes. */
@Module({})
export class WebhooksModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(WebhookDeliveries) private readonly deliveries: WebhookDeliveries,
    @Inject(WebhookSender) private readonly sender: WebhookSender,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  /** @param allowInner  whether addresses of this machine and its network may be called */
  static of(allowInner: boolean): DynamicModule {
    return {
      module: WebhooksModule,
      imports: [CommandModule, CatalogueModule],
      controllers: [WebhooksController],
      providers: [
        { provide: ALLOW_INNER, useValue: allowInner },
        {
          provide: WebhookDeliveries,
          inject: [EventStore, DataSource, Catalogue, LOG],
          useFactory: (store: EventStore<EntityManager>, dataSource: DataSource, catalogue: Catalogue, log: Log) =>
            new WebhookDeliveries(store, dataSource, catalogue, (err) => log.warn({ err }, 'webhooks are not filled, it is tried again')),
        },
        {
          provide: WebhookFigures,
          inject: [WebhookDeliveries, Metrics],
          useFactory: (deliveries: WebhookDeliveries, metrics: Metrics) => new WebhookFigures(deliveries, metrics),
        },
        {
          provide: WebhookSender,
          inject: [EventStore, WebhookDeliveries, AnswerSeal, LOG, WebhookFigures],
          useFactory: (store: EventStore, deliveries: WebhookDeliveries, seal: AnswerSeal, log: Log, figures: WebhookFigures) =>
            new WebhookSender({ ...{ store, deliveries, seal, log, allowInner }, onTried: (...tried) => figures.tried(...tried) }),
        },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.deliveries.onNews(() => this.sender.nudge());
    this.deliveries.follow();
    this.sender.start();
    this.readiness.note('webhooks', () => this.deliveries.trouble());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.sender.stop();
    await this.deliveries.close();
  }
}
