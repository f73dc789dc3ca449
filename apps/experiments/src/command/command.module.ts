import { Module } from '@nestjs/common';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { EvidenceModule } from '../evidence/evidence.module.js';
import { CommandDoor } from './command-door.js';
import { commandHandlers } from './command-handlers.js';
import { FirstProject } from './first-project.js';
import { LayerClaims } from './layer-claims.store.js';
import { SurroundingsReader } from './surroundings.js';

@Module({
  imports: [DecisionsModule, EvidenceModule],
  providers: [CommandDoor, LayerClaims, SurroundingsReader, FirstProject, ...commandHandlers],
  exports: [CommandDoor, SurroundingsReader],
})
export class CommandModule {}
