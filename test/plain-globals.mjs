/**
 * Jest's Node environment, with globals that cost what globals cost: Jest puts a proxy before them (to find leaks), through which each
 * `Math` or `Number` of a loop goes, and arithmetic takes up to ten times as long. A context of its own per file stays.
 */
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

export default class PlainGlobals extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    // The constructor of Jest's makes the context and cannot be told how.
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
  }
}
