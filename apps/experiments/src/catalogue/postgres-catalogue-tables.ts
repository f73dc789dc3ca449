/** The tables of the read model, beside those of the event store. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

class CatalogueTables1732000100000 implements MigrationInterface {
  readonly name = 'CatalogueTables1732000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table control.catalogue_entry (
        stream text primary key,
        kind text not null,
        project text,
        document jsonb not null,
        key_hash text
      )`);
    await runner.query('create index on control.catalogue_entry (project, kind, stream)');
    await runner.query('create unique index on control.catalogue_entry (key_hash) where key_hash is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table control.catalogue_entry');
  }
}

/** Of keys that were rotated with an overlap. */
class PreviousKeyHash1764300000000 implements MigrationInterface {
  readonly name = 'PreviousKeyHash1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table control.catalogue_entry add column previous_key_hash text');
    await runner.query('create unique index on control.catalogue_entry (previous_key_hash) where previous_key_hash is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table control.catalogue_entry drop column previous_key_hash');
  }
}

export const catalogueMigrations = [CatalogueTables1732000100000, PreviousKeyHash1764300000000];
