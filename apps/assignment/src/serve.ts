/** The service itself, as `main` starts it. */
import { runService } from '@rampart/service-kit';
import { assignmentService } from './running/assignment-service.js';

export const serve = (): Promise<void> => runService(assignmentService);
