/** The service itself, as `main` starts it. */
import 'reflect-metadata';
import { runService } from '@rampart/service-kit';
import { analysisService } from './analysis.service.js';

export const serve = (): Promise<void> => runService(analysisService);
