/** The first pass over a file: what is in it, and whether all of it can be sent, before anything is. */
import type { InstantUs } from '@rampart/contracts';
import { eventsOf, metricsOf } from '../plan/definitions.js';
import type { Cell, ImportPlan } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { type ExactDecimal, jsonNumberOf, shifted, textOf } from '../table/exact-decimals.js';
import { variantsByText } from './derived-events.js';
import type { Problem, RowReading } from './row-reading.js';

interface EventFigures {
  decimals: number;
  largest: bigint;
  /** Numbers of 16 digits or more: only these can have no exact double. */
  readonly long: { readonly line: number; readonly exact: ExactDecimal }[];
}
export interface BadCell extends Problem {
  readonly line: number;
}

const LONG_KEPT = 100_000;
const BAD_KEPT = 1_000;
const FOUND_ARMS = 50;
const LARGEST_VALUE = 9_200_000_000_000n;

export class Survey {
  rows = 0;
  counted = 0;
  bad = 0;
  firstUs: InstantUs | undefined;
  lastUs: InstantUs | undefined;
  readonly badCells: BadCell[] = [];
  readonly armTexts: readonly Map<string, number>[];
  private readonly figures = new Map<string, EventFigures>();

  constructor(private readonly plan: ImportPlan) {
    this.armTexts = plan.arms.columns.map(() => new Map());
  }

  /** Counts a row that the filters let pass. @returns whether it can be sent */
  add(line: number, reading: RowReading): boolean {
    if (reading.problems.length > 0) {
      this.addBad(reading.problems.map((problem) => ({ ...problem, line })));
      return false;
    }
    this.counted++;
    if (this.firstUs === undefined || reading.atUs < this.firstUs) this.firstUs = reading.atUs;
    if (this.lastUs === undefined || reading.atUs > this.lastUs) this.lastUs = reading.atUs;
    for (const [index, text] of reading.armTexts.entries()) {
      const texts = this.armTexts[index];
      if (text !== undefined && texts !== undefined) texts.set(text, (texts.get(text) ?? 0) + 1);
    }
    for (const { event, exact } of reading.values) this.addValue(event, exact, line);
    for (const { event, exact } of reading.covariates) this.addValue(event, exact, line);
    return true;
  }

  addBad(cells: readonly BadCell[]): void {
    this.bad++;
    if (this.badCells.length < BAD_KEPT) this.badCells.push(...cells);
  }

  private addValue(event: string, exact: ExactDecimal, line: number): void {
    let figures = this.figures.get(event);
    if (figures === undefined) {
      figures = { decimals: 0, largest: 0n, long: [] };
      this.figures.set(event, figures);
    }
    if (exact.decimals > figures.decimals) figures.decimals = exact.decimals;
    const magnitude = exact.digits < 0n ? -exact.digits : exact.digits;
    const whole = exact.decimals === 0 ? magnitude : magnitude / 10n ** BigInt(exact.decimals) + 1n;
    if (whole > figures.largest) figures.largest = whole;
    if (magnitude >= 1_000_000_000_000_000n && figures.long.length < LONG_KEPT) figures.long.push({ line, exact });
  }

  /**
   * What each event's values are multiplied with, so that none loses a decimal: events that one metric reads share their scale.
   * @throws Refusal where values are too large for their decimals, or have more digits than a double
   */
  scales(): ReadonlyMap<string, bigint> {
    const scales = new Map<string, bigint>();
    for (const group of this.groups()) {
      const decimals = Math.max(6, ...group.map((event) => this.figures.get(event)?.decimals ?? 0));
      for (const event of group) {
        this.checkRange(event, decimals - 6);
        scales.set(event, 10n ** BigInt(decimals - 6));
      }
    }
    return scales;
  }

  private groups(): readonly (readonly string[])[] {
    const specs = [...this.plan.values, ...this.plan.covariates];
    let groups: readonly (readonly string[])[] = specs.map(({ event }) => [event]);
    for (const metric of metricsOf(this.plan)) {
      const events = eventsOf(metric);
      const touched = groups.filter((group) => group.some((event) => events.includes(event)));
      groups = [...groups.filter((group) => !touched.includes(group)), touched.flat()];
    }
    return groups;
  }

  private checkRange(event: string, power: number): void {
    const figures = this.figures.get(event);
    if (figures === undefined) return;
    if (figures.largest > LARGEST_VALUE)
      throw new Refusal(`"${event}" has values up to ${figures.largest}; the largest that can be added up exactly is ${LARGEST_VALUE}.`);
    const room = (LARGEST_VALUE / (figures.largest === 0n ? 1n : figures.largest)).toString().length - 1 + 6;
    if (figures.largest * 10n ** BigInt(power) > LARGEST_VALUE)
      throw new Refusal(
        `"${event}" has values up to ${figures.largest} and ${power + 6} decimals; together at most ${room} decimals are exact. ` +
          `Round it in the plan: "decimals": ${room}.`,
      );
    const lost = figures.long.find(({ exact }) => jsonNumberOf(shifted(exact, power)) === undefined);
    if (lost !== undefined)
      throw new Refusal(
        `Line ${lost.line}: "${event}" is ${textOf(lost.exact)}: more digits than a JSON number can carry. Round it in the plan: "decimals": ${figures.decimals - 2}.`,
      );
  }

  /** The plan's cells, or those found. @throws Refusal where the arm columns do not say what the plan expects */
  cells(): readonly Cell[] {
    const cells = this.plan.arms.cells ?? this.foundCells();
    const known = this.plan.arms.columns.map((column) => variantsByText(column, cells));
    const matches = this.armTexts.some((texts, index) => [...texts.keys()].some((text) => known[index]?.has(text)));
    if (!matches && this.counted > 0) {
      const found = this.armTexts.flatMap((texts) => [...texts.keys()].slice(0, 5).map((text) => `"${text}"`));
      throw new Refusal(
        `No row belongs to a cell of the plan: the arm columns say ${found.join(', ') || 'nothing'}. Set "values" of the cells.`,
      );
    }
    return cells;
  }

  private foundCells(): readonly Cell[] {
    const texts = [...new Set(this.armTexts.flatMap((map) => [...map.keys()]))].sort();
    if (texts.length < 2 || texts.length > FOUND_ARMS)
      throw new Refusal(
        `The arm columns hold ${texts.length} different values; an experiment has 2 to ${FOUND_ARMS}. List them as "cells".`,
      );
    return texts.map((variant) => ({ variant, weight: 1 }));
  }

  /** Texts of the arm columns that belong to no cell, with their number of rows. */
  unknownArms(cells: readonly Cell[]): readonly { readonly column: string; readonly text: string; readonly rows: number }[] {
    return this.plan.arms.columns.flatMap((column, index) => {
      const known = variantsByText(column, cells);
      return [...(this.armTexts[index] ?? [])].filter(([text]) => !known.has(text)).map(([text, rows]) => ({ column, text, rows }));
    });
  }
}
