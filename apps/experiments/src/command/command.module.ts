import { Module } from '@nestjs/common';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { EvidenceModule } from '../evidence/evidence.module.js';
import { CommandDoor } from './command-door.js';
import { commandHandlers } from './command-handlers.js';
import { FirstProject } from './first-project.js';
import { SurroundingsReader } from './surroundings.js';

@Module({
  imports: [DecisionsModule, EvidenceModule],
  providers: [CommandDoor, SurroundingsReader, FirstProject, ...commandHandlers],
  exports: [CommandDoor, SurroundingsReader],
})
export class CommandModule {}
