/** The thread in which plans are computed: one question in, one answer out. Started by `PlanDesk`. */
import { parentPort } from 'node:worker_threads';
import { DomainError } from '@rampart/domain/errors';
import type { PlanAnswer, PlanQuestion } from './plan-desk.js';
import { planFor } from './power-plan.js';

const answerTo = ({ question, expected }: PlanQuestion): PlanAnswer => {
  try {
    return { plan: planFor(question, expected) };
  } catch (error) {
    // Only what a clone keeps: a class would arrive as a plain Error.
    if (error instanceof DomainError) return { refused: { code: error.code, message: error.message, details: error.details } };
    throw error;
  }
};

parentPort?.on('message', (question: PlanQuestion) => parentPort?.postMessage(answerTo(question)));
