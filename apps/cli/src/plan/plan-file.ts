/** Reads a plan: what is wrong with it is said with file, line and column. */
import { parseChecked, readText } from './checked-json.js';
import { type ImportPlan, importPlan, PLAN_FIELDS } from './plan.js';

export const readPlan = (file: string): ImportPlan => parsePlan(readText(file, 'plan'), file);

/** @throws Refusal naming every wrong field, with its place */
export const parsePlan = (text: string, file: string): ImportPlan =>
  parseChecked(text, { file, schema: importPlan, what: 'plan', fields: PLAN_FIELDS });
