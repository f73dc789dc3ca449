/** The service itself, as `main` starts it. */
import { runService } from '@rampart/service-kit';
import { ingestionService } from './running/ingestion-service.js';

await runService(ingestionService);
