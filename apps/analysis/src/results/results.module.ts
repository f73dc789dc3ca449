/** The results API as one part of the analysis service. */
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { MetricPreviewController } from './metric-preview.controller.js';
import { ResultsController } from './results.controller.js';
import { ResultsService } from './results.service.js';

@Module({})
export class ResultsModule {
  /** @param sources  modules that export `Definitions` and `Evidence` */
  static over(sources: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return {
      module: ResultsModule,
      imports: sources,
      controllers: [ResultsController, MetricPreviewController],
      providers: [ResultsService],
      exports: [ResultsService],
    };
  }
}
