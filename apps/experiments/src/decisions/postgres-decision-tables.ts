/** The table of the read model of decision records. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

class DecisionTables1732000200000 implements MigrationInterface {
  readonly name = 'DecisionTables1732000200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table control.decision_entry (
        id text primary key,
        position bigint not null,
        project text not null,
        environment text not null,
        experiment text not null,
        comparison int not null,
        known_until_us bigint not null,
        summary jsonb not null
      )`);
    await runner.query('create index on control.decision_entry (project, experiment, environment, position desc)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table control.decision_entry');
  }
}

export const decisionMigrations = [DecisionTables1732000200000];
