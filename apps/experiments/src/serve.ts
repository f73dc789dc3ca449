/** The service itself, as `main` starts it. */
import 'reflect-metadata';
import { runService } from '@rampart/service-kit';
import { experimentsService } from './experiments.service.js';

export const serve = (): Promise<void> => runService(experimentsService);
