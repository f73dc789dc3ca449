/** The table of the audit log. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

class AuditTables1764300100000 implements MigrationInterface {
  readonly name = 'AuditTables1764300100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table control.audit_entry (
        position bigint generated always as identity primary key,
        id text not null unique,
        actor text,
        project text,
        outcome text not null,
        entry jsonb not null
      )`);
    await runner.query('create index on control.audit_entry (actor, position desc)');
    await runner.query('create index on control.audit_entry (project, position desc)');
    await runner.query(`create index on control.audit_entry (position desc) where outcome <> 'done'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table control.audit_entry');
  }
}

export const auditMigrations = [AuditTables1764300100000];
