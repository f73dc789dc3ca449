import { Module } from '@nestjs/common';
import { CommandDoor } from './command-door.js';
import { commandHandlers } from './command-handlers.js';
import { FirstProject } from './first-project.js';
import { SurroundingsReader } from './surroundings.js';

@Module({ providers: [CommandDoor, SurroundingsReader, FirstProject, ...commandHandlers], exports: [SurroundingsReader] })
export class CommandModule {}
