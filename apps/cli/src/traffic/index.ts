/** Traffic as a library, for tests and benches: what a scenario sends, and the sending of it. */
export { type Assign, type Assignment, assignByScenario } from './generation/assignment.js';
export type { Happening, SimulatedUnit } from './generation/behaviour.js';
export { lengthSeconds, type TimedEvent, type Traffic, type TrafficOptions, trafficOf } from './generation/traffic.js';
export { type Scenario, scenario } from './scenario/scenario.js';
export { limited, parseScenario, readScenario } from './scenario/scenario-file.js';
export { type SendingOptions, type SendingOutcome, type SendingProgress, sendTraffic } from './sending/sender.js';
export type { ByArm, Rejected, TrafficSummary } from './sending/tally.js';
