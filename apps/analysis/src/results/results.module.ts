/** The results API as one part of the analysis service. */
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { MetricPreviewController } from './metric-preview.controller.js';
import { ResultsController } from './results.controller.js';
import { ResultsService } from './results.service.js';

@Module({})
class Results {}

/** @param sources  modules that export `Definitions` and `Evidence` */
export const resultsModule = (sources: NonNullable<ModuleMetadata['imports']>): DynamicModule => ({
  module: Results,
  imports: sources,
  controllers: [ResultsController, MetricPreviewController],
  providers: [ResultsService],
  exports: [ResultsService],
});
