import { startService } from '@rampart/service-kit/start';

await startService(import.meta.dirname);
