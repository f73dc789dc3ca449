/**
 * The ClickHouse server: enters the engine's own `clickhouse local` inside chdb's library, which then listens for HTTP, and for other servers of its cluster
 * where it has any. The call never returns, so this is a process of its own. Run as `node clickhouse-process.js <library> <config.xml> <data folder> [tcp]`.
 */
import { DataType, load, open } from 'ffi-rs';

const [, , library = '', config = '', folder = '', tcp] = process.argv;
// The statement that keeps the engine running; whoever wants it gone kills the process.
const forever = `SYSTEM START LISTEN HTTP; ${
  tcp === undefined ? '' : 'SYSTEM START LISTEN TCP; '
}SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size=1, function_sleep_max_microseconds_per_block=0 FORMAT Null`;
const args = ['clickhouse-local', '--config-file', config, '--path', folder, '--query_id', 'keepalive', '--query', forever];

open({ library: 'chdb', path: library });
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
});
