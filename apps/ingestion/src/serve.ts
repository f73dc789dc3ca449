/** The service itself, as `main` starts it. */
import { runService } from '@rampart/service-kit';
import { ingestionService } from './running/ingestion-service.js';

export const serve = (): Promise<void> => runService(ingestionService);
