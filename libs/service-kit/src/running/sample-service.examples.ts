/** A service for run-service.int-spec.ts, run as a process of its own. */
import { Controller, Get, Module } from '@nestjs/common';
import { z } from 'zod';
import { Scope } from '../access/scope.js';
import { runService } from './run-service.js';
import { serviceConfig } from './service-config.js';

@Controller('v1')
class Sample {
  @Get('slow')
  @Scope('admin', { project: false })
  async slow(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return 'done';
  }

  @Get('crash')
  @Scope('admin', { project: false })
  crash(): string {
    setImmediate(() => {
      throw new Error('out of nowhere');
    });
    return 'soon';
  }
}

@Module({ controllers: [Sample] })
class SampleModule {}

await runService({
  name: 'sample',
  api: { title: 'Sample', description: '', version: '1' },
  config: serviceConfig.extend({ SAMPLE_URL: z.string().startsWith('http'), SAMPLE_SIZE: z.coerce.number().int().min(1) }),
  module: () => SampleModule,
});
