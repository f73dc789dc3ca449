/** The tables of the event store, in schema `control`. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

class EventStoreTables1732000000000 implements MigrationInterface {
  readonly name = 'EventStoreTables1732000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table control.event (
        position bigint generated always as identity primary key,
        stream text not null,
        version integer not null,
        type text not null,
        type_version integer not null,
        data jsonb not null,
        at_us bigint not null,
        actor text not null,
        reason text,
        request_id text,
        unique (stream, version)
      )`);
    await runner.query(`
      create table control.recorded_request (
        scope text not null,
        key text not null,
        digest text not null,
        answer text not null,
        at_us bigint not null,
        primary key (scope, key)
      )`);
    await runner.query('create index on control.recorded_request (at_us)');
    await runner.query('create table control.checkpoint (name text primary key, position bigint not null)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table control.checkpoint, control.recorded_request, control.event');
  }
}

export const eventStoreMigrations = [EventStoreTables1732000000000];
