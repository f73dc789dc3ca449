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

export const catalogueMigrations = [CatalogueTables1732000100000];
