/** Unit ids become pseudonyms here and go no further. Remembered for the units seen lately, since one costs as much as parsing three events. */
import { projectSecret, pseudonymsWith } from '@rampart/contracts/pseudonyms';

const DEFAULT_REMEMBERED = 100_000;

export class Pseudonyms {
  private readonly makers = new Map<string, ReturnType<typeof pseudonymsWith>>();
  private young = new Map<string, string>();
  private old = new Map<string, string>();

  /** @param remembered  at most so many pseudonyms are kept */
  constructor(
    private readonly platformSecret: string,
    private readonly remembered = DEFAULT_REMEMBERED,
  ) {}

  /** @returns 32 hex digits, the same for the same unit of a project for ever */
  of(project: string, unitType: string, unitId: string): string {
    const name = `${project}\0${unitType}\0${unitId}`;
    const known = this.young.get(name);
    if (known !== undefined) return known;
    const pseudonym = this.old.get(name) ?? this.makerOf(project)(unitType, unitId);
    // Two generations: what was not asked for while the young one filled up is forgotten with the old one.
    this.remember(name, pseudonym);
    return pseudonym;
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  private remember(name: string, pseudonym: string): void {
    if (this.young.size >= this.remembered / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(name, pseudonym);
  }

  private makerOf(project: string): ReturnType<typeof pseudonymsWith> {
    const maker = this.makers.get(project) ?? pseudonymsWith(projectSecret(this.platformSecret, project));
    this.makers.set(project, maker);
    return maker;
  }
}
