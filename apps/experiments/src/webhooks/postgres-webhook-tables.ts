/** What is to be sent, and what became of it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

class WebhookTables1732000300000 implements MigrationInterface {
  readonly name = 'WebhookTables1732000300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table control.webhook_delivery (
        webhook text not null,
        id text not null,
        position bigint not null,
        type text not null,
        body text not null,
        happened_at_us bigint not null,
        status text not null default 'waiting',
        attempts int not null default 0,
        last_answer text,
        next_try_at timestamptz not null default now(),
        primary key (webhook, id)
      )`);
    await runner.query(`create index on control.webhook_delivery (webhook, position) where status = 'waiting'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table control.webhook_delivery');
  }
}

export const webhookMigrations = [WebhookTables1732000300000];
