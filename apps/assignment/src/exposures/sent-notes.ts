/** Which units the log took last, and up to where: on disk beside the spool, since a process that is killed hears of an erasure in its next life. */
import type { Database } from 'lmdb';
import { MOST_UNITS_SENT, type SentUnits } from './sent-places.js';

/** So that none of them is dear to read or to drop: the messages of half a minute at full pace, of hours otherwise. */
const MOST_NOTES = 1_000;
/** Scope and pseudonym. */
const UNIT_BYTES = 100;

export class SentNotes {
  /** Oldest first. */
  private readonly kept: { readonly place: number; readonly units: number }[];
  private units: number;
  private unwritten: SentUnits[] = [];

  /** @param database  by place */
  constructor(private readonly database: Database<SentUnits, number>) {
    this.kept = [...database.getRange({})].map(({ key, value }) => ({ place: key, units: value.units.length }));
    this.units = this.kept.reduce((sum, { units }) => sum + units, 0);
  }

  add(sent: SentUnits): void {
    this.unwritten.push(sent);
  }

  /** Of what is to be written. */
  get bytes(): number {
    return this.unwritten.reduce((sum, { units }) => sum + units.length * UNIT_BYTES, 0);
  }

  /** Writes what was added, instead of what is oldest; to be called within a batch. @returns to be called when that is done */
  write(): () => void {
    const notes = this.unwritten;
    const dropped = this.tooMany(notes);
    for (const note of notes) void this.database.put(note.place, note);
    for (const { place } of this.kept.slice(0, dropped)) void this.database.remove(place);
    return () => {
      this.unwritten = this.unwritten.slice(notes.length);
      for (const { units } of this.kept.splice(0, dropped)) this.units -= units;
      for (const { place, units } of notes) {
        this.kept.push({ place, units: units.length });
        this.units += units.length;
      }
    };
  }

  /** What was not written: where the disk has no room for it, the rows go first. */
  forget(): void {
    this.unwritten = [];
  }

  /** Of earlier lives, oldest first. */
  *read(): Generator<SentUnits> {
    for (const { value } of this.database.getRange({})) yield value;
  }

  private tooMany(notes: readonly SentUnits[]): number {
    let units = notes.reduce((sum, note) => sum + note.units.length, this.units);
    let dropped = 0;
    for (const { units: own } of this.kept) {
      if (units <= MOST_UNITS_SENT && this.kept.length + notes.length - dropped <= MOST_NOTES) break;
      units -= own;
      dropped += 1;
    }
    return dropped;
  }
}
