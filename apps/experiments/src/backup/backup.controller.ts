import { Readable } from 'node:stream';
import { Controller, HttpCode, Post, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Scope } from '@rampart/service-kit';
import { HistoryBackup } from './history-backup.js';

@ApiTags('admin')
@Controller('v1/admin')
export class BackupController {
  constructor(private readonly backup: HistoryBackup) {}

  @Post('backup')
  @HttpCode(200)
  @Scope('admin', { project: false })
  @ApiOperation({ summary: 'Every table of the history as of one moment, as a stream of frames: use rampart backup' })
  @ApiResponse({
    status: 200,
    description: 'Frames as libs/contracts/src/backups.ts writes and reads them; the last one says that it is the end',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' }, example: 'H…{"part":"history",…}' } },
  })
  run(): StreamableFile {
    return new StreamableFile(Readable.from(this.backup.frames()));
  }
}
