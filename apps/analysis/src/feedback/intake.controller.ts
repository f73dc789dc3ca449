/** The command to fill the store anew. */
import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Post, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { RebuildState } from '@rampart/contracts';
import { Scope } from '@rampart/service-kit';
import { Intake } from './intake.service.js';
import { StoreBackup } from './store-backup.js';
import { StoreRebuild } from './store-rebuild.js';

@ApiTags('analysis')
@Controller('v1/analysis')
export class IntakeController {
  constructor(
    private readonly intake: Intake,
    private readonly rebuilds: StoreRebuild,
    private readonly backups: StoreBackup,
  ) {}

  @Post('rebuild')
  @HttpCode(202)
  @Scope('admin', { project: false })
  @ApiOperation({ summary: 'Fill another feedback store from the log; the old one serves until it has everything and takes its place' })
  async rebuild(): Promise<{ readonly message: string; readonly filling: string }> {
    const { filling } = await this.intake.rebuild();
    const message = `A new store is being filled from the log's beginning (filling ${filling}), the old one serves meanwhile; see GET /v1/analysis/rebuild.`;
    return { message, filling };
  }

  @Post('backup')
  @HttpCode(200)
  @Scope('admin', { project: false })
  @ApiOperation({ summary: 'Every row of the feedback store, and how far it had read the log, as a stream of frames: use rampart backup' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ description: 'The frames, one after another', schema: { type: 'string', format: 'binary' } })
  backup(): StreamableFile {
    return new StreamableFile(Readable.from(this.backups.frames()));
  }

  @Get('rebuild')
  @Scope('admin', { project: false })
  @ApiOperation({ summary: 'How far the last rebuild of the feedback store is' })
  state(): RebuildState {
    return this.rebuilds.state();
  }
}
