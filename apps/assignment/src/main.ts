import { runService } from '@rampart/service-kit';
import { assignmentService } from './running/assignment-service.js';

await runService(assignmentService);
