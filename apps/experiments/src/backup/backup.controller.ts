import { Readable } from 'node:stream';
import { Controller, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { HistoryBackup } from './history-backup.js';

const backupQuery = z.strictObject({
  log: z.enum(['true', 'false']).default('true').describe('Whether a log on Kafka is in it; one in PostgreSQL always is'),
});

@ApiTags('admin')
@Controller('v1/admin')
export class BackupController {
  constructor(private readonly backup: HistoryBackup) {}

  @Post('backup')
  @HttpCode(200)
  @Scope('admin', { project: false })
  @ApiOperation({ summary: 'Every table of the history as of one moment, and the log, as a stream of frames: use rampart backup' })
  @ApiResponse({
    status: 200,
    description: 'Frames as libs/contracts/src/backups.ts writes and reads them; the last one says that it is the end',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' }, example: 'H…{"part":"history",…}' } },
  })
  run(@Query({ schema: backupQuery }) { log }: z.infer<typeof backupQuery>): StreamableFile {
    return new StreamableFile(Readable.from(this.backup.frames(log === 'true')));
  }
}
