import { jest } from '@jest/globals';
import { freshClickhouse } from '@rampart/test-engines';
import { feedbackViewsContract } from './examples/feedback-views.contract.js';

jest.setTimeout(60_000);

feedbackViewsContract('ClickHouse', freshClickhouse);
