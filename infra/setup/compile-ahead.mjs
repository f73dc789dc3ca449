/** `node compile-ahead.mjs FILE`: compiles a bundle for the starts to come. In a process of its own, since that loads the whole service. */
import { compileAhead } from '../../libs/service-kit/dist/running/start.js';

const [, , file] = process.argv;
if (file === undefined) throw new Error('compile-ahead.mjs FILE: which bundle?');
compileAhead(file);
process.exit(0);
